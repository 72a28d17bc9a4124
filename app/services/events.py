"""What happened to a job, in an order without gaps."""

from typing import Any

from app import clock
from app.models.jobs import Job, JobEvent


def add(job_id: str, kind: str, **payload: Any) -> None:
    """Append an event; the job's row is locked by the count, so that readers never skip one."""
    Job.update(event_seq=Job.event_seq + 1).where(Job.id == job_id).execute()
    seq = Job.select(Job.event_seq).where(Job.id == job_id).scalar()
    JobEvent.insert(job=job_id, seq=seq, type=kind, payload=payload, at=clock.now()).execute()
