"""Messages that wait to be published; the database's side of the broker."""

import threading
from collections.abc import Sequence
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


@transactional
def claim_due(*, limit: int = 100) -> list[Outbox]:
    """Rows that are due, highest priority first, now leased to the caller and recorded as enqueued."""
    now = clock.now()
    due: list[Outbox] = []
    for priority in LEVELS:  # one index range each, however many wait
        here = (Outbox.priority == priority) & (Outbox.available_at <= now)
        free = Outbox.lease_until.is_null() | (Outbox.lease_until < now)
        query = Outbox.select().where(here & free).order_by(Outbox.available_at).limit(limit - len(due))
        due.extend(query if is_sqlite() else query.for_update(skip_locked=True))
        if len(due) == limit:
            break
    until = now + PUBLISH_LEASE
    Outbox.update(lease_until=until).where(Outbox.id.in_([row.id for row in due])).execute()
    if due:
        messages.record_all([(ref(row), "enqueued") for row in due])
    for row in due:
        row.lease_until = until
    return due


def ref(row: Outbox) -> MessageRef:
    """The message that the row becomes."""
    return MessageRef(row.message_id, row.actor, row.subject, row.priority, row.position)


@transactional
def put_back(rows: Sequence[Outbox]) -> None:
    """Free rows that could not be published, for the next look."""
    Outbox.update(lease_until=None).where(Outbox.id.in_([row.id for row in rows])).execute()
    messages.record_all([(ref(row), "none") for row in rows])


@transactional
def mark_sent(*rows: Outbox) -> None:
    """Forget rows that the broker has, unless their work was put back before one came to note that."""
    if rows:
        ids, leased = [row.message_id for row in rows], {row.lease_until for row in rows}
        (until,) = leased
        sql.change(
            f"DELETE FROM outbox WHERE message_id IN ({sql.marks(ids)}) AND lease_until = ?", *ids, until
        )


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
