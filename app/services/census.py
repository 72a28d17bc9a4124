"""Counts of what there is, for statistics and metrics."""

import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import peewee as pw

from app import clock, config
from app.engines.sources import canonical_host
from app.models.base import database
from app.models.jobs import ACTIVE, Job, JobEvent
from app.models.messages import Outbox
from app.models.schedules import Schedule
from app.models.sources import Source
from app.services import runs, workers
from app.stages import CHUNK_ACTOR, NAMES, POOLS


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


STATES = (*ACTIVE, "completed", "failed", "cancelled")
FIRST = 1000
"""Jobs that wait of which the oldest is sought: those made later have waited less, or were done again."""

RECENT = timedelta(hours=24)
"""How long a failure that nobody looks after alarms."""


def jobs_in_states() -> dict[str, int]:
    """How many jobs are in each state, zeros included."""
    return dict.fromkeys(STATES, 0) | jobs_by_state(None)


def failed_unattended() -> int:
    """How many jobs failed lately that were neither retried nor acknowledged."""
    recent = (Job.state == "failed") & (Job.finished_at > clock.now() - RECENT)
    return int(Job.select().where(recent & Job.acknowledged_at.is_null()).count())


def oldest_ages_s() -> dict[str, float]:
    """For how long the oldest job of each of these states has waited or worked; 0 where there is none."""
    retried = JobEvent.select(pw.fn.MAX(JobEvent.at))
    retried = retried.where((JobEvent.job == Job.id) & (JobEvent.type == "retried"))
    wanted = pw.fn.COALESCE(retried, Job.run_at, Job.created_at).alias("wanted_at")
    first = Job.select(wanted).where(Job.state == "pending").order_by(Job.id).limit(FIRST)
    return {
        "pending": _age_s(pw.Select((first,), (pw.fn.MIN(first.c.wanted_at),)).bind(database)),
        "running": _age_s(Job.select(pw.fn.MIN(Job.started_at)).where(Job.state == "running")),
        "retrying": _age_s(Job.select(pw.fn.MIN(Job.started_at)).where(Job.state == "retrying")),
    }


def unsent() -> int:
    """How many messages are due that no dispatcher has taken up."""
    return int(Outbox.select().where(_is_unsent()).count())


def unsent_age_s() -> float:
    """For how long the oldest of them has been due."""
    return _age_s(Outbox.select(pw.fn.MIN(Outbox.available_at)).where(_is_unsent()))


def _is_unsent() -> pw.Expression:
    """Housekeeping's rows stay until its work is done: with a lease, they have been sent."""
    now = clock.now()
    dropped = (Outbox.lease_until < now) & Outbox.actor.in_((*NAMES, CHUNK_ACTOR))
    return (Outbox.available_at <= now) & (Outbox.lease_until.is_null() | dropped)


def _age_s(query: Any) -> float:
    first: Any = query.scalar()
    moment: Any = Job.created_at
    since = moment.python_value(first)
    return max(0.0, (clock.now() - since).total_seconds()) if since else 0.0


def workers_by_queue() -> dict[str, int]:
    """How many worker processes serve each queue, zeros included."""
    serving = Counter(queue for row in workers.present() for queue in row.queues.split(","))
    return {queue: serving[queue] for queue in POOLS}


def last_runs() -> dict[str, float]:
    """When dispatchers last did each of their tasks, Unix time."""
    return {task: moment.timestamp() for task, moment in runs.last().items()}


def source_circuit_open() -> dict[str, int]:
    """1 for each source that is left alone because it refused us, 0 for the others; a pause is no refusal."""
    known = dict.fromkeys((canonical_host(host) for host in config.current().allowed_sources), 0)
    return known | {row.name: int(row.state != "closed") for row in Source.select()}


def volumes() -> dict[str, "shutil._ntuple_diskusage"]:
    """The space under each folder that we fill."""
    settings = config.current()
    folders = {"data": settings.data_dir}
    if settings.storage().startswith("file://"):
        folders["files"] = Path(urlsplit(settings.storage()).path)
    return {name: _usage(folder) for name, folder in folders.items()}


def _usage(folder: Path) -> "shutil._ntuple_diskusage":
    """Of the folder, or of the nearest one above it that is there."""
    try:
        return shutil.disk_usage(folder)
    except FileNotFoundError:
        return _usage(folder.absolute().parent)
