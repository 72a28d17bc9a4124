"""What a job's start and end tell the metrics, once they are stored."""

import logging
from datetime import datetime
from typing import Any

import peewee as pw

from app.models.base import after_commit
from app.models.jobs import Job, JobEvent
from app.services import pace
from app.values import PRIORITY_NAMES
from monitoring import metrics

log = logging.getLogger(__name__)


def job_started(job_id: str) -> None:
    """Measure how long the job waited; one that is done again did not wait since it was made."""
    after_commit(lambda: _guarded(_started, job_id))


def job_ends(job_id: str, outcome: str) -> None:
    """Count the job and measure how long it took."""
    after_commit(lambda: _guarded(_ended, job_id, outcome))


def job_completes(job_id: str) -> None:
    """Compare what was foretold of the job, before it is part of what one learns from, with what it took."""
    learned = pace.pace()
    after_commit(lambda: _guarded(_compare, job_id, learned))


def _guarded(measure: Any, *args: object) -> None:
    try:
        measure(*args)
    except Exception:
        log.exception("not measured", extra={"job_id": args[0]})


def _started(job_id: str) -> None:
    again = JobEvent.select().where((JobEvent.job == job_id) & (JobEvent.type == "retried"))
    query = Job.select(Job.priority, Job.created_at, Job.run_at, Job.started_at)
    job: Job | None = query.where((Job.id == job_id) & ~pw.fn.EXISTS(again)).first()
    if job and job.started_at:
        waited_s = (job.started_at - max(job.created_at, job.run_at or job.created_at)).total_seconds()
        metrics.time_to_first_start_seconds.labels(PRIORITY_NAMES[job.priority]).observe(max(0.0, waited_s))


def _ended(job_id: str, outcome: str) -> None:
    metrics.jobs_finished_total.labels(outcome).inc()
    job: Job | None = Job.select(Job.started_at, Job.finished_at).where(Job.id == job_id).first()
    if job and job.started_at and job.finished_at:
        metrics.job_duration_seconds.labels(outcome).observe(_seconds(job.started_at, job.finished_at))


def _compare(job_id: str, learned: pace.Pace) -> None:
    duration_s = Job.select(Job.duration_s).where(Job.id == job_id).scalar() or 0.0
    foretold_s = took_s = 0.0
    for stage, recogniser, started_at, finished_at in pace.past(job_id):
        work_s = learned.work_s(stage, duration_s, recogniser)
        if work_s is None:
            return
        foretold_s += work_s
        took_s += _seconds(started_at, finished_at)
    if took_s > 0:
        metrics.estimate_error_ratio.observe(foretold_s / took_s)


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
