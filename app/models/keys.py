"""Who may come in."""

import peewee as pw

from app.models.base import MomentField, Row


class ApiKey(Row):
    """A key of an owner; only the SHA-256 of its secret is kept."""

    id = pw.AutoField()
    prefix = pw.FixedCharField(8, unique=True)
    digest = pw.FixedCharField(64)
    owner = pw.CharField(64)
    role = pw.CharField(10)
    created_at = MomentField()
    last_used_at = MomentField(null=True)
    revoked_at = MomentField(null=True)
