"""Webhooks and what was sent to them."""

import peewee as pw

from app.models.base import JsonField, MomentField


def up(_migrator: object, db: pw.Database) -> None:
    """Make the tables, as copies that later changes to the models leave alone."""

    class Job(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)

        class Meta:
            database = db
            table_name = "job"

    class Webhook(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)
        owner = pw.CharField(max_length=64, index=True)
        job = pw.ForeignKeyField(Job, null=True, unique=True, on_delete="CASCADE")
        url = pw.TextField()
        events = JsonField()
        secret = pw.CharField(max_length=64)
        state = pw.CharField(max_length=10)
        failures = pw.IntegerField(default=0)
        paused_because = pw.TextField(null=True)
        lease_until = MomentField(null=True)
        created_at = MomentField()

        class Meta:
            database = db
            table_name = "webhook"

    class Delivery(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)
        webhook = pw.ForeignKeyField(Webhook, on_delete="CASCADE")
        job = pw.ForeignKeyField(Job, null=True, on_delete="CASCADE")
        seq = pw.IntegerField(null=True)
        type = pw.CharField(max_length=20)
        body = pw.TextField()
        state = pw.CharField(max_length=10)
        attempts = pw.IntegerField(default=0)
        next_at = MomentField(null=True)
        status_code = pw.IntegerField(null=True)
        error = pw.TextField(null=True)
        created_at = MomentField()
        finished_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "delivery"
            indexes = (
                (("webhook", "job", "seq"), True),
                (("webhook", "state", "next_at"), False),
            )

    db.create_tables([Webhook, Delivery])
