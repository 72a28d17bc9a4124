"""What is to be published, and the life of each message as the broker's users see it."""

import peewee as pw

from app.models.base import MomentField, Row


class Outbox(Row):
    """A message that is due for publishing at available_at; gone once the broker has it.

    target names what the message is for; one row a target waits at a time. waits_for names the resource
    of which it needs a slot; once there is one for it, available_at is brought forward.
    """

    id = pw.AutoField()
    target = pw.CharField(80, unique=True)
    actor = pw.CharField(32)
    subject = pw.FixedCharField(26, index=True)
    position = pw.IntegerField(null=True)
    priority = pw.SmallIntegerField()
    message_id = pw.FixedCharField(36)
    available_at = MomentField(index=True)
    lease_until = MomentField(null=True)
    waits_for = pw.CharField(300, null=True, index=True)
    created_at = MomentField()

    class Meta:
        indexes = ((("priority", "available_at"), False),)


class Message(Row):
    """A message's present state (none, enqueued, delayed, running, done, dead) and its job or video."""

    id = pw.FixedCharField(36, primary_key=True)
    queue = pw.CharField(32)
    actor = pw.CharField(32)
    subject = pw.FixedCharField(26, index=True)
    position = pw.IntegerField(null=True)
    priority = pw.SmallIntegerField()
    state = pw.CharField(10)
    attempts = pw.IntegerField(default=0)
    worker = pw.CharField(128, null=True)
    error = pw.TextField(null=True)
    traceback = pw.TextField(null=True)
    enqueued_at = MomentField(null=True)
    created_at = MomentField()
    updated_at = MomentField()

    class Meta:
        indexes = (
            (("queue", "state", "updated_at"), False),
            (("queue", "priority", "state", "enqueued_at"), False),
        )


class MessageEvent(Row):
    """A message entered a state."""

    id = pw.AutoField()
    message_id: str
    message = pw.ForeignKeyField(Message, backref="events", on_delete="CASCADE")
    state = pw.CharField(10)
    worker = pw.CharField(128, null=True)
    at = MomentField()
