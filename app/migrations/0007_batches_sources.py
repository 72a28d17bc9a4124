"""Batches of videos, and sources that may have to be left alone."""

import peewee as pw

from app.models.base import JsonField, MomentField


def up(_migrator: object, db: pw.Database) -> None:
    """Make the tables, as copies that later changes to the models leave alone."""

    class Job(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)

        class Meta:
            database = db
            table_name = "job"

    class Batch(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)
        state = pw.CharField(max_length=10)
        attempt = pw.IntegerField(default=0)
        fence = pw.IntegerField(default=0)
        lease_until = MomentField(null=True)
        worker = pw.CharField(null=True, max_length=128)
        progress = pw.FloatField(default=0.0)
        next_retry_at = MomentField(null=True)
        started_at = MomentField(null=True)
        finished_at = MomentField(null=True)
        error_code = pw.CharField(null=True, max_length=64)
        error_text = pw.TextField(null=True)
        owner = pw.CharField(max_length=64)
        url = pw.TextField(null=True)
        title = pw.TextField(null=True)
        wishes = JsonField()
        most = pw.IntegerField()
        since = pw.DateField(null=True)
        only_new = pw.BooleanField()
        listed_at = MomentField(null=True)
        created_at = MomentField()

        class Meta:
            database = db
            table_name = "batch"
            indexes = ((("owner", "id"), False),)

    class BatchEntry(pw.Model):
        batch = pw.ForeignKeyField(Batch, on_delete="CASCADE")
        position = pw.IntegerField()
        key = pw.FixedCharField(64)
        url = pw.TextField()
        title = pw.TextField(null=True)
        job = pw.ForeignKeyField(Job, null=True, on_delete="CASCADE")
        error_code = pw.CharField(null=True, max_length=64)
        error_text = pw.TextField(null=True)

        class Meta:
            database = db
            table_name = "batch_entry"
            indexes = ((("batch", "key"), True), (("key", "batch"), False))

    class Source(pw.Model):
        name = pw.CharField(primary_key=True, max_length=255)
        state = pw.CharField(default="closed", max_length=10)
        failures = pw.IntegerField(default=0)
        error_code = pw.CharField(null=True, max_length=64)
        error_text = pw.TextField(null=True)
        since = MomentField()
        until = MomentField(null=True)
        probed_at = MomentField(null=True)
        paused_at = MomentField(null=True)
        paused_by = pw.CharField(null=True, max_length=64)

        class Meta:
            database = db
            table_name = "source"

    db.create_tables([Batch, BatchEntry, Source])
