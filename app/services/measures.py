"""What a job's start and end tell the metrics, once they are stored."""

import logging
from datetime import datetime
from typing import Any

from app.models import sql
from app.models.base import after_commit
from app.models.jobs import Job
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
    again = "SELECT 1 FROM job_event WHERE job_id = job.id AND type = 'retried'"
    query = f"SELECT priority, created_at, run_at, started_at FROM job WHERE id = ? AND NOT EXISTS ({again})"
    for priority, *times in sql.find(query, job_id):
        created_at, run_at, started_at = map(sql.moment, times)
        waited_s = _seconds(max(filter(None, (created_at, run_at))), started_at)
        metrics.time_to_first_start_seconds.labels(PRIORITY_NAMES[priority]).observe(waited_s)


def _ended(job_id: str, outcome: str) -> None:
    metrics.jobs_finished_total.labels(outcome).inc()
    took = "SELECT started_at, finished_at FROM job WHERE id = ? AND started_at IS NOT NULL"
    for started_at, finished_at in sql.find(took, job_id):
        took_s = _seconds(sql.moment(started_at), sql.moment(finished_at))
        metrics.job_duration_seconds.labels(outcome).observe(took_s)


def _compare(job_id: str, learned: pace.Pace) -> None:
    if not learned.rates:
        return
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


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0
