"""What recurs."""

import peewee as pw

from app.models.base import JsonField, MomentField


def up(_migrator: object, db: pw.Database) -> None:
    """Make the tables, as copies that later changes to the models leave alone."""

    class Schedule(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)
        owner = pw.CharField(max_length=64)
        name = pw.CharField(max_length=100)
        cron = pw.CharField(max_length=100)
        timezone = pw.CharField(max_length=64)
        action = pw.CharField(max_length=20)
        payload = JsonField()
        enabled = pw.BooleanField()
        next_run = MomentField(null=True, index=True)
        last_run = MomentField(null=True)
        last_job_id = pw.FixedCharField(26, null=True)
        last_outcome = pw.TextField(null=True)
        created_at = MomentField()
        updated_at = MomentField()

        class Meta:
            database = db
            table_name = "schedule"
            indexes = ((("owner", "name"), True),)

    class ScheduleRun(pw.Model):
        schedule = pw.ForeignKeyField(Schedule, on_delete="CASCADE")
        fire_time = MomentField()
        job_id = pw.FixedCharField(26, null=True)
        outcome = pw.TextField(null=True)

        class Meta:
            database = db
            table_name = "schedule_run"
            indexes = ((("schedule", "fire_time"), True),)

    db.create_tables([Schedule, ScheduleRun])
