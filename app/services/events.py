"""What happened to a job, in an order without gaps."""

from collections.abc import Sequence
from typing import Any

from app import clock
from app.models import sql
from app.models.jobs import ACTIVE_JOBS
from app.services import notifications

Event = tuple[str, dict[str, Any]]
"""What kind it is, and what it says."""

SHARED = ("started", "stage", "progress")
"""Kinds that tell of the work, which the jobs that follow this one share."""

SEEN = "SELECT id, event_seq, notifies, leads FROM job WHERE"
COLUMNS = ("job_id", "seq", "type", "payload", "at")
ITSELF, FOLLOWERS = "id = ?", f"follows_id = ? AND {ACTIVE_JOBS}"


def begin(job_id: str, kind: str) -> None:
    """Append the first event of a job that this transaction makes, with a count of 1."""
    sql.insert("job_event", COLUMNS, (job_id, 1, kind, {}, clock.now()))


def add(job_id: str, kind: str, **payload: Any) -> None:
    """Append an event; the job's row is locked by the count, so that readers never skip one."""
    if kind in SHARED:
        tell(job_id, (kind, payload))
    else:
        _count(ITSELF, job_id, 1, {})
        _append(sql.find(f"{SEEN} {ITSELF}", job_id), [(kind, payload)])


def tell(job_id: str, *told: Event, **changes: Any) -> None:
    """Append events of the work; likewise change the rows of the job and of those that follow it."""
    own = f"{ITSELF} AND {ACTIVE_JOBS}"
    _count(own, job_id, len(told), changes)
    jobs = sql.find(f"{SEEN} {own}", job_id)
    if any(leads for *_, leads in jobs):
        _count(FOLLOWERS, job_id, len(told), changes)
        jobs = [*jobs, *sql.find(f"{SEEN} {FOLLOWERS}", job_id)]
    _append(jobs, told)


def _count(which: str, job_id: str, events: int, changes: dict[str, Any]) -> None:
    assignments = ", ".join(["event_seq = event_seq + ?", *(f"{column} = ?" for column in changes)])
    sql.later(f"UPDATE job SET {assignments} WHERE {which}", events, *changes.values(), job_id)


def _append(jobs: sql.Rows, told: Sequence[Event]) -> None:
    """Store the events for these jobs (as SEEN gives them); the counts hold them already."""
    at = clock.now()
    rows = [
        (job_id, seq - len(told) + number, kind, payload, at, notifies)
        for job_id, seq, notifies, _leads in jobs
        for number, (kind, payload) in enumerate(told, start=1)
    ]
    if rows:
        sql.insert("job_event", COLUMNS, *(row[:-1] for row in rows))
    for job_id, seq, kind, payload, _, notifies in rows:
        if notifies:
            notifications.note(job_id, seq, kind, payload, at)
