"""What recurs, and each time that it did."""

import peewee as pw

from app.models.base import JsonField, MomentField, Row


class Schedule(Row):
    """An action that recurs at the times of a cron line; next_run is empty while it is disabled.

    updated_at is when somebody last changed it; firing leaves it alone.
    """

    id = pw.FixedCharField(26, primary_key=True)
    owner = pw.CharField(64)
    name = pw.CharField(100)
    cron = pw.CharField(100)
    timezone = pw.CharField(64)
    action = pw.CharField(20)
    payload = JsonField()
    enabled = pw.BooleanField()
    next_run = MomentField(null=True, index=True)
    last_run = MomentField(null=True)
    last_job_id = pw.FixedCharField(26, null=True)
    last_outcome = pw.TextField(null=True)
    created_at = MomentField()
    updated_at = MomentField()

    class Meta:
        indexes = ((("owner", "name"), True),)


class ScheduleRun(Row):
    """A schedule fired for a time, or by hand at it; once each, whoever tries. The job may be gone by now."""

    id = pw.AutoField()
    schedule_id: str
    schedule = pw.ForeignKeyField(Schedule, backref="runs", on_delete="CASCADE")
    fire_time = MomentField()
    job_id = pw.FixedCharField(26, null=True)
    outcome = pw.TextField(null=True)

    class Meta:
        indexes = ((("schedule", "fire_time"), True),)
