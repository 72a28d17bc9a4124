"""Who is told of what happens to jobs, and each time that they were."""

import peewee as pw

from app.models.base import JsonField, MomentField, Row
from app.models.jobs import Job


class Webhook(Row):
    """An address of an owner's that is told of all their jobs, or of one; it is active, paused or disabled.

    secret signs, so it cannot be a hash. failures counts tries without a success between them. lease_until:
    somebody sends to it.
    """

    id = pw.FixedCharField(26, primary_key=True)
    owner = pw.CharField(64, index=True)
    job = pw.ForeignKeyField(Job, null=True, unique=True, on_delete="CASCADE")
    job_id: str | None
    url = pw.TextField()
    events = JsonField()
    secret = pw.CharField(64)
    state = pw.CharField(10)
    failures = pw.IntegerField(default=0)
    paused_because = pw.TextField(null=True)
    lease_until = MomentField(null=True)
    created_at = MomentField()


class Delivery(Row):
    """One call of a webhook, told once an event; it is pending, delivered or failed."""

    webhook_id: str
    id = pw.FixedCharField(26, primary_key=True)
    webhook = pw.ForeignKeyField(Webhook, backref="deliveries", on_delete="CASCADE")
    job = pw.ForeignKeyField(Job, null=True, on_delete="CASCADE")
    job_id: str | None
    seq = pw.IntegerField(null=True)
    type = pw.CharField(20)
    body = pw.TextField()
    state = pw.CharField(10)
    attempts = pw.IntegerField(default=0)
    next_at = MomentField(null=True)
    status_code = pw.IntegerField(null=True)
    error = pw.TextField(null=True)
    created_at = MomentField()
    finished_at = MomentField(null=True)

    class Meta:
        indexes = (
            (("webhook", "job", "seq"), True),
            (("webhook", "state", "next_at"), False),
        )
