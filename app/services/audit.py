"""The book in which every action on the dashboard stands: who, when, what, and how it went."""

from collections.abc import Callable
from typing import TypeVar

from app import clock
from app.errors import YtragError
from app.models.base import transactional
from app.models.operators import AuditEntry
from app.services.keys import Caller

R = TypeVar("R")
MOST = 2000
"""Characters of what is noted."""


def doing(caller: Caller, action: str, target: str, do: Callable[[], R]) -> R:
    """Do it and note it in the same transaction; what is refused is noted too."""

    @transactional
    def run() -> R:
        result = do()
        _add(caller, action, target, "done")
        return result

    try:
        return run()
    except YtragError as error:
        note(caller, action, target, f"refused: {error.detail}")
        raise


@transactional
def note(caller: Caller, action: str, target: str, outcome: str) -> int:
    """Note it; returns the entry's id, for amend()."""
    return _add(caller, action, target, outcome)


@transactional
def amend(entry_id: int, outcome: str) -> None:
    """Say how far it is."""
    AuditEntry.update(outcome=outcome[:MOST]).where(AuditEntry.id == entry_id).execute()


def page(*, before: int | None, limit: int) -> list[AuditEntry]:
    """Entries, newest first, those before the id."""
    query = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit)
    return list(query.where(AuditEntry.id < before) if before else query)


def _add(caller: Caller, action: str, target: str, outcome: str) -> int:
    who = f"{caller.owner} (key {caller.key})" if caller.key else caller.owner
    entry = AuditEntry.create(
        at=clock.now(), who=who, action=action, target=target[:MOST], outcome=outcome[:MOST]
    )
    return int(entry.id)
