"""Does the same to many jobs, each in a transaction of its own, and counts what was refused and why."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from app.errors import YtragError
from app.models.base import transactional
from app.models.jobs import Job
from app.services import jobs, retries
from app.services.selection import Selection

ACTIONS: dict[str, Callable[[str, str | None], Any]] = {
    "cancel": jobs.cancel,
    "retry": retries.retry,
    "acknowledge": jobs.acknowledge,
}
BATCH = 100


@dataclass(frozen=True)
class Outcome:
    """How many jobs were meant and done, refusals by code, and where to go on if there may be more."""

    matched: int
    done: int
    refused: dict[str, int]
    next_cursor: str | None


class _Undone(Exception):
    """Rolls back what was only tried."""


def apply(action: str, wanted: Selection, *, dry_run: bool, limit: int) -> Outcome:
    """Do the action to at most `limit` of the jobs, newest first.

    dry_run: try each and undo it, so that the numbers are those of the real run.
    """
    done, last, refused = 0, None, Counter[str]()
    for job_id in _ids(wanted, limit):
        last = job_id
        try:
            _do(ACTIONS[action], job_id, wanted.owner, dry_run=dry_run)
            done += 1
        except YtragError as error:
            refused[error.code] += 1
    matched = done + refused.total()
    return Outcome(matched, done, dict(refused), last if matched == limit else None)


def _ids(wanted: Selection, limit: int) -> Iterator[str]:
    """The jobs' ids, read in batches."""
    while limit > 0:
        batch = [job.id for job in wanted.apply(Job.select(Job.id)).limit(min(limit, BATCH))]
        yield from batch
        if len(batch) < BATCH:
            return
        limit -= len(batch)
        wanted = replace(wanted, before=batch[-1])


def _do(action: Callable[[str, str | None], Any], job_id: str, owner: str | None, *, dry_run: bool) -> None:
    @transactional
    def run() -> None:
        action(job_id, owner)
        if dry_run:
            raise _Undone

    try:
        run()
    except _Undone:
        return
