"""What happened to a job, in an order without gaps."""

from collections.abc import Sequence
from typing import Any

from app import clock
from app.models import sql
from app.models.base import is_sqlite
from app.models.jobs import ACTIVE_JOBS
from app.services import notifications

Event = tuple[str, dict[str, Any]]
"""What kind it is, and what it says."""

SHARED = ("started", "stage", "progress")
"""Kinds that tell of the work, which the jobs that follow this one share."""

SEEN = "SELECT id, event_seq, notifies, leads FROM job WHERE"
PACKED = "leads = IF(LAST_INSERT_ID(4 * event_seq + 2 * notifies + leads) > 0, leads, leads)"
"""Leaves the row as it is, and has the server answer with what SEEN would find, so that nobody need ask."""

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
        _append(_count_itself(ITSELF, job_id, 1, {}), [(kind, payload)])


def tell(job_id: str, *told: Event, **changes: Any) -> None:
    """Append events of the work; likewise change the rows of the job and of those that follow it."""
    jobs = _count_itself(f"{ITSELF} AND {ACTIVE_JOBS}", job_id, len(told), changes)
    if any(leads for *_, leads in jobs):
        sql.later(*_count(FOLLOWERS, job_id, len(told), changes))
        jobs = [*jobs, *sql.find(f"{SEEN} {FOLLOWERS}", job_id)]
    _append(jobs, told)


def end(job_id: str, kind: str, payload: dict[str, Any], **changes: Any) -> bool:
    """Append the event with which the job ends, and likewise change its row; False: it has ended before."""
    ended = _count_itself(f"{ITSELF} AND {ACTIVE_JOBS}", job_id, 1, changes)
    _append(ended, [(kind, payload)])
    return bool(ended)


def _count_itself(which: str, job_id: str, events: int, changes: dict[str, Any]) -> sql.Rows:
    """Count the events in the job's own row and change that; what SEEN finds then."""
    if is_sqlite():
        met = sql.change(*_count(which, job_id, events, changes))
        return sql.find(f"{SEEN} {ITSELF}", job_id) if met else []
    packed = sql.change_one(*_count(which, job_id, events, changes, PACKED))
    return [] if packed is None else [(job_id, packed >> 2, packed & 2, packed & 1)]


def _count(which: str, job_id: str, events: int, changes: dict[str, Any], *more: str) -> tuple[Any, ...]:
    assignments = ", ".join(["event_seq = event_seq + ?", *(f"{column} = ?" for column in changes), *more])
    return f"UPDATE job SET {assignments} WHERE {which}", events, *changes.values(), job_id


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
