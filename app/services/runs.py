"""When the dispatchers last did their tasks, so that somebody notices if none does."""

import time
from datetime import datetime

from app import clock
from app.models.base import transactional
from app.models.workers import DispatcherRun

TASKS = ("dispatch", "reconcile")
"""To publish what is due; to publish again what was lost."""

EVERY_S = 10.0
"""How often a process writes that it did a task, at most."""

_noted: dict[str, float] = {}


def note(task: str) -> None:
    """Say that the task was done just now."""
    if time.monotonic() - _noted.get(task, float("-inf")) < EVERY_S:
        return
    _store(task)
    _noted[task] = time.monotonic()


@transactional
def _store(task: str) -> None:
    now = clock.now()
    if not DispatcherRun.update(ran_at=now).where(DispatcherRun.task == task).execute():
        DispatcherRun.insert(task=task, ran_at=now).on_conflict_ignore().execute()


def last() -> dict[str, datetime]:
    """When each task was last done; tasks that never were are left out."""
    return {row.task: row.ran_at for row in DispatcherRun.select()}
