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


def find(entry_id: int) -> AuditEntry | None:
    """The entry, if there is one of that id."""
    found: AuditEntry | None = AuditEntry.get_or_none(id=entry_id)
    return found


def newest(target: str) -> int:
    """The id of the last entry about this; 0: there is none."""
    about = AuditEntry.select(AuditEntry.id).where(AuditEntry.target == target)
    found: AuditEntry | None = about.order_by(AuditEntry.id.desc()).first()
    return int(found.id) if found else 0


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
