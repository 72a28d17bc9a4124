"""What happened to a job, in an order without gaps."""

from typing import Any

from app import clock
from app.models.jobs import Job, JobEvent, family
from app.services import notifications

SHARED = ("started", "stage", "progress")
"""Kinds that tell of the work, which the jobs that follow this one share."""


def add(job_id: str, kind: str, **payload: Any) -> None:
    """Append an event; the job's row is locked by the count, so that readers never skip one."""
    told = family(job_id) if kind in SHARED else (Job.id == job_id)
    Job.update(event_seq=Job.event_seq + 1).where(told).execute()
    for job in Job.select(Job.id, Job.event_seq, Job.notifies).where(told):
        at = clock.now()
        JobEvent.insert(job=job.id, seq=job.event_seq, type=kind, payload=payload, at=at).execute()
        if job.notifies:
            notifications.note(job.id, job.event_seq, kind, payload, at)
