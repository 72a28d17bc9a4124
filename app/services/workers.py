"""Worker processes: each says every few seconds that it lives."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app import clock
from app.models.base import transactional
from app.models.workers import WorkerHeartbeat

STALE_AFTER = timedelta(seconds=30)
FORGET_AFTER = timedelta(days=1)


@transactional
def beat(
    name: str, *, server: str, queues: Sequence[str], threads: int, busy: int, started_at: datetime
) -> None:
    """Note that the process lives, and how many of its threads work."""
    now = clock.now()
    if not WorkerHeartbeat.update(busy=busy, seen_at=now).where(WorkerHeartbeat.name == name).execute():
        WorkerHeartbeat.insert(
            name=name,
            server=server,
            queues=",".join(queues),
            threads=threads,
            busy=busy,
            started_at=started_at,
            seen_at=now,
        ).on_conflict_ignore().execute()


@transactional
def leave(name: str) -> None:
    """Note that the process ends as it should."""
    WorkerHeartbeat.delete().where(WorkerHeartbeat.name == name).execute()


def present() -> list[WorkerHeartbeat]:
    """The processes that were heard of lately."""
    fresh = WorkerHeartbeat.seen_at > clock.now() - STALE_AFTER
    return list(WorkerHeartbeat.select().where(fresh).order_by(WorkerHeartbeat.name))


def known() -> list[WorkerHeartbeat]:
    """The same with those that fell silent without saying that they end."""
    return list(WorkerHeartbeat.select().order_by(WorkerHeartbeat.server, WorkerHeartbeat.name))


@transactional
def forget_stale() -> int:
    """Delete the rows of processes that died long ago and return how many there were."""
    silent = WorkerHeartbeat.seen_at < clock.now() - FORGET_AFTER
    return int(WorkerHeartbeat.delete().where(silent).execute())
