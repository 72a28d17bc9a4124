"""Who is signed in with a browser."""

import peewee as pw

from app.models.base import MomentField, Row


class Session(Row):
    """A browser that signed in; only the SHA-256 of its token is kept.

    key_prefix: the API key that opened it, with which it ends; None where something else did.
    """

    id = pw.AutoField()
    digest = pw.FixedCharField(64, unique=True)
    key_prefix = pw.FixedCharField(8, null=True)
    owner = pw.CharField(64)
    role = pw.CharField(10)
    created_at = MomentField()
    expires_at = MomentField(index=True)
