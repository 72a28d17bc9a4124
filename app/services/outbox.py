"""Messages that wait to be published; the database's side of the broker."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from app import clock
from app.models import sql
from app.models.base import after_commit, is_sqlite, transactional
from app.models.messages import Outbox
from app.services import messages
from app.services.messages import MessageRef
from app.values import PRIORITIES

LEVELS = sorted(PRIORITIES.values(), reverse=True)

BATCH = 100
"""Most messages that one look takes."""

PUBLISH_LEASE = timedelta(seconds=30)
"""How long a dispatcher may take to publish what it claimed before another one does."""

COLUMNS = (
    "target",
    "actor",
    "subject",
    "position",
    "priority",
    "message_id",
    "available_at",
    "waits_for",
    "created_at",
)

added = threading.Event()
"""Set when this process stored something new, so that a dispatcher in it need not wait for its next look."""


def add(
    actor: str,
    subject: str,
    *,
    priority: int,
    position: int | None = None,
    available_at: datetime | None = None,
    message_id: str | None = None,
    waits_for: str | None = None,
    anew: bool = False,
) -> str:
    """Have the actor called with the subject (and position) from available_at on; return the message's id.

    Where the same call waits already, that row stays and nothing is added; anew: the row is replaced.
    """
    message_id = message_id or str(uuid4())
    now = clock.now()
    target = f"{actor}:{subject}:{'' if position is None else position}"
    if anew:
        sql.later("DELETE FROM outbox WHERE target = ?", target)
    row = (target, actor, subject, position, priority, message_id, available_at or now, waits_for, now)
    sql.insert("outbox", COLUMNS, row, unless_there=True)
    after_commit(added.set)
    return message_id


@dataclass(frozen=True)
class Due(MessageRef):
    """A message to publish, whose row is the caller's until lease_until."""

    row_id: int = 0
    lease_until: datetime | None = None


UNTAKEN = "(lease_until IS NULL OR lease_until < ?)"


@transactional
def claim_due(*, limit: int = BATCH) -> list[Due]:
    """What is due, highest priority first, now leased to the caller and recorded as enqueued."""
    now = clock.now()
    until = now + PUBLISH_LEASE
    here = f"priority = ? AND available_at <= ? AND {UNTAKEN} ORDER BY available_at LIMIT ?"
    query = f"SELECT id, message_id, actor, subject, position FROM outbox WHERE {here}"
    if not is_sqlite():
        query += " FOR UPDATE SKIP LOCKED"
    due: list[Due] = []
    for priority in LEVELS:  # one index range each, however many wait
        for row_id, message_id, actor, subject, position in sql.find(
            query, priority, now, now, limit - len(due)
        ):
            due.append(Due(message_id, actor, subject, priority, position, None, row_id, until))
        if len(due) == limit:
            break
    if due:
        ids = [row.row_id for row in due]
        sql.later(f"UPDATE outbox SET lease_until = ? WHERE id IN ({sql.marks(ids)})", until, *ids)
        messages.record_all([(row, "enqueued") for row in due])
    return due


@transactional
def put_back(rows: Sequence[Due]) -> None:
    """Free rows that could not be published, for the next look."""
    _leave("UPDATE outbox SET lease_until = NULL", rows)
    messages.record_all([(row, "none") for row in rows])


@transactional
def mark_sent(*rows: Due) -> None:
    """Forget rows that the broker has, unless their work was put back before one came to note that."""
    _leave("DELETE FROM outbox", rows)


def _leave(change: str, rows: Sequence[Due]) -> None:
    for until in {row.lease_until for row in rows}:
        ids = [row.row_id for row in rows]
        sql.later(f"{change} WHERE id IN ({sql.marks(ids)}) AND lease_until = ?", *ids, until)


@transactional
def settle(actor: str, subject: str) -> None:
    """Forget a row whose work is done; until then it is published anew whenever its lease runs out."""
    Outbox.delete().where((Outbox.actor == actor) & (Outbox.subject == subject)).execute()


@transactional
def forget(message_id: str) -> None:
    """Likewise of this one message: what asks for the same work anew has another."""
    sql.change("DELETE FROM outbox WHERE message_id = ?", message_id)


@transactional
def drop_job(job_id: str) -> None:
    """Forget what waits to be published for a job that has ended."""
    sql.later("DELETE FROM outbox WHERE subject = ?", job_id)


def seconds_to_next(most_s: float) -> float:
    """Seconds until the next row is due, at most most_s."""
    waiting = Outbox.select(Outbox.available_at).where(Outbox.lease_until.is_null())
    first: Outbox | None = waiting.order_by(Outbox.available_at).first()
    if first is None:
        return most_s
    return float(min(most_s, max(0.0, (first.available_at - clock.now()).total_seconds())))
