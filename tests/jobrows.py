"""Rows of many jobs at once, as if they had been accepted, done or failed long ago."""

from datetime import UTC, datetime, timedelta

from app.models import sql
from app.models.base import transactional
from app.stages import NAMES

AT_ONCE = 1000
START = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("completed",) * 8 + ("failed", "pending")
"""Of ten jobs; what waits is a tenth of all."""

STATE_OF_STAGES = {"completed": "completed", "failed": "skipped", "pending": "pending"}


def add_jobs(count: int, owner: str) -> list[str]:
    """Store so many jobs with their stages and a message each; returns their ids, oldest first."""
    ids = [f"00{number:024d}" for number in range(count)]
    for start in range(0, count, AT_ONCE):
        _add(ids[start : start + AT_ONCE], owner)
    return ids


@transactional
def _add(ids: list[str], owner: str) -> None:
    jobs: list[tuple[object, ...]] = []
    stages: list[tuple[object, ...]] = []
    messages: list[tuple[object, ...]] = []
    for job_id in ids:
        number = int(job_id)
        state, at = STATES[number % len(STATES)], START + timedelta(seconds=number)
        ended = None if state == "pending" else at
        jobs.append(
            (
                *(job_id, owner, f"http://127.0.0.1/{number}", f"Process video: {number}", number % 4, "asr"),
                *({}, state, 0.0, "-" * 64, job_id, job_id, 1, 0, 0, at, ended, ended),
            )
        )
        stages += [
            (job_id, name, position, STATE_OF_STAGES[state], 1, 1, 0.0) for position, name in enumerate(NAMES)
        ]
        about = (f"m{job_id}", NAMES[0], NAMES[0], job_id, number % 4)
        messages.append((*about, "enqueued" if state == "pending" else "done", 1, at, at, at))
    sql.insert("job", JOB, *jobs)
    sql.insert("job_stage", STAGE, *stages)
    sql.insert("message", MESSAGE, *messages)


JOB = (
    *("id", "owner", "url", "name", "priority", "mode", "options", "state", "progress", "request_hash"),
    *("revision", "message_id", "event_seq", "notifies", "leads", "created_at", "started_at", "finished_at"),
)
STAGE = ("job_id", "name", "position", "state", "attempt", "fence", "progress")
MESSAGE = (
    *("id", "queue", "actor", "subject", "priority", "state", "attempts"),
    *("created_at", "updated_at", "enqueued_at"),
)
