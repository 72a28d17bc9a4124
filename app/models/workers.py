"""Which worker processes there are."""

import peewee as pw

from app.models.base import MomentField, Row


class WorkerHeartbeat(Row):
    """A process that runs stages, as it last said; gone after an orderly end."""

    name = pw.CharField(128, primary_key=True)
    server = pw.CharField(64)
    queues = pw.TextField()
    threads = pw.IntegerField()
    busy = pw.IntegerField()
    started_at = MomentField()
    seen_at = MomentField(index=True)


class DispatcherRun(Row):
    """When any dispatcher last got through one of its tasks."""

    task = pw.CharField(32, primary_key=True)
    ran_at = MomentField()
