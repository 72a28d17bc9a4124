"""Who may come in."""

import peewee as pw

from app.models.base import MomentField, Row


class ApiKey(Row):
    """A key of an owner; only the SHA-256 of its secret is kept.

    window_used: requests that were taken from its allowance in the minute that began at window_at. It stands
    before window_at because MySQL sets columns in this order.
    """

    id = pw.AutoField()
    prefix = pw.FixedCharField(8, unique=True)
    digest = pw.FixedCharField(64)
    owner = pw.CharField(64)
    role = pw.CharField(10)
    created_at = MomentField()
    last_used_at = MomentField(null=True)
    revoked_at = MomentField(null=True)
    requests_per_minute = pw.IntegerField(null=True)
    window_used = pw.IntegerField(default=0)
    window_at = MomentField(null=True)
