"""Messages that wait to be published; the database's side of the broker."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from app import clock
from app.models.base import after_commit, is_sqlite, transactional
from app.models.messages import Outbox
from app.services import messages
from app.services.messages import MessageRef

PUBLISH_LEASE = timedelta(seconds=30)
"""How long a dispatcher may take to publish what it claimed before another one does."""

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
        Outbox.delete().where(Outbox.target == target).execute()
    Outbox.insert(
        target=target,
        actor=actor,
        subject=subject,
        position=position,
        priority=priority,
        message_id=message_id,
        available_at=available_at or now,
        waits_for=waits_for,
        created_at=now,
    ).on_conflict_ignore().execute()
    after_commit(added.set)
    return message_id


@transactional
def claim_due(*, limit: int = 100) -> list[Outbox]:
    """Rows that are due, highest priority first, now leased to the caller and recorded as enqueued."""
    now = clock.now()
    free = Outbox.lease_until.is_null() | (Outbox.lease_until < now)
    query = Outbox.select().where((Outbox.available_at <= now) & free)
    query = query.order_by(Outbox.priority.desc(), Outbox.id).limit(limit)
    due = list(query if is_sqlite() else query.for_update(skip_locked=True))
    until = now + PUBLISH_LEASE
    Outbox.update(lease_until=until).where(Outbox.id.in_([row.id for row in due])).execute()
    for row in due:
        row.lease_until = until
        messages.record(ref(row), "enqueued")
    return due


def ref(row: Outbox) -> MessageRef:
    """The message that the row becomes."""
    return MessageRef(row.message_id, row.actor, row.subject, row.priority, row.position)


@transactional
def put_back(rows: Sequence[Outbox]) -> None:
    """Free rows that could not be published, for the next look."""
    Outbox.update(lease_until=None).where(Outbox.id.in_([row.id for row in rows])).execute()
    for row in rows:
        messages.record(ref(row), "none")


@transactional
def mark_sent(row: Outbox) -> None:
    """Forget a row that the broker has, unless its work was put back before one came to note that."""
    claimed = (Outbox.id == row.id) & (Outbox.lease_until == row.lease_until)
    Outbox.delete().where(claimed & (Outbox.message_id == row.message_id)).execute()


@transactional
def settle(actor: str, subject: str) -> None:
    """Forget a row whose work is done; until then it is published anew whenever its lease runs out."""
    Outbox.delete().where((Outbox.actor == actor) & (Outbox.subject == subject)).execute()


@transactional
def drop_job(job_id: str) -> None:
    """Forget what waits to be published for a job that has ended."""
    Outbox.delete().where(Outbox.subject == job_id).execute()


def seconds_to_next(most_s: float) -> float:
    """Seconds until the next row is due, at most most_s."""
    waiting = Outbox.select(Outbox.available_at).where(Outbox.lease_until.is_null())
    first: Outbox | None = waiting.order_by(Outbox.available_at).first()
    if first is None:
        return most_s
    return float(min(most_s, max(0.0, (first.available_at - clock.now()).total_seconds())))
