"""Counts of what there is, for statistics and metrics."""

from dataclasses import dataclass
from typing import Any

import peewee as pw

from app.models.jobs import Job
from app.models.schedules import Schedule
from app.services import workers


@dataclass(frozen=True)
class Stats:
    """Numbers of jobs by what the dashboard calls their states, of servers and of schedules."""

    enqueued: int
    processing: int
    succeeded: int
    failed: int
    scheduled: int
    deleted: int
    servers: int
    recurring: int


def stats(owner: str | None) -> Stats:
    """The statistics of the owner's jobs (None: everybody's)."""
    count = jobs_by_state(owner)
    return Stats(
        enqueued=count.get("pending", 0),
        processing=count.get("running", 0),
        succeeded=count.get("completed", 0),
        failed=count.get("failed", 0),
        scheduled=count.get("scheduled", 0) + count.get("retrying", 0),
        deleted=count.get("cancelled", 0),
        servers=servers(),
        recurring=recurring(owner),
    )


def jobs_by_state(owner: str | None) -> dict[str, int]:
    """How many of the owner's jobs (None: everybody's) are in each state; states without any are left out."""
    query = Job.select(Job.state, pw.fn.COUNT(Job.id)).group_by(Job.state)
    if owner is not None:
        query = query.where(Job.owner == owner)
    rows: Any = query.tuples()
    return dict(rows)


def servers() -> int:
    """How many servers run stages now."""
    return len({row.server for row in workers.present()})


def recurring(owner: str | None) -> int:
    """How many schedules the owner has (None: all, with the program's own)."""
    mine = Schedule.select() if owner is None else Schedule.select().where(Schedule.owner == owner)
    return int(mine.count())
