"""The life of each message, written in the transactions that change the work it stands for."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import clock
from app.models import sql
from app.models.messages import Message
from app.stages import CHUNK_ACTOR, NAMES


@dataclass(frozen=True)
class MessageRef:
    """A message as rows know it; follower is the next one in its chain."""

    id: str
    actor: str
    subject: str
    priority: int
    position: int | None = None
    follower: "MessageRef | None" = None


def record(ref: MessageRef, state: str, **about: str | None) -> None:
    """Store that the message entered the state; about as for record_all."""
    record_all([(ref, state)], **about)


def record_all(
    news: Sequence[tuple[MessageRef, str]],
    *,
    worker: str | None = None,
    error: str | None = None,
    traceback: str | None = None,
) -> None:
    """Store that these messages entered these states; call it inside the transaction of the cause."""
    now = clock.now()
    rows = [
        (
            *(ref.id, ref.actor, ref.actor, ref.subject, ref.position, ref.priority, now, now),
            *(state, worker if state != "enqueued" else None, error, traceback, state == "running"),
            now if state == "enqueued" else None,
        )
        for ref, state in news
    ]
    sql.upsert("message", COLUMNS, rows, CHANGES)
    events = [(ref.id, state, worker, now) for ref, state in news]
    sql.insert("message_event", ("message_id", "state", "worker", "at"), *events)


COLUMNS = (
    *("id", "queue", "actor", "subject", "position", "priority", "created_at", "updated_at"),
    *("state", "worker", "error", "traceback", "attempts", "enqueued_at"),
)
CHANGES = {name: f"new.{name}" for name in ("updated_at", "state", "worker", "error", "traceback")} | {
    "attempts": "message.attempts + new.attempts",
    "enqueued_at": "COALESCE(new.enqueued_at, message.enqueued_at)",
}


def interrupted(actor: str, job_id: str, position: int | None) -> str | None:
    """Id of the message under which the work ran whose worker was lost."""
    here = (Message.actor == actor) & (Message.subject == job_id) & (Message.state == "running")
    here &= Message.position.is_null() if position is None else (Message.position == position)
    newest: Message | None = Message.select().where(here).order_by(Message.updated_at.desc()).first()
    return newest.id if newest else None


def latest_states(job_ids: Sequence[str]) -> dict[str, str]:
    """State of each job's newest message; those that have none are left out."""
    if not job_ids:
        return {}
    of_work = Message.subject.in_(job_ids) & Message.actor.in_((*NAMES, CHUNK_ACTOR))
    query = Message.select(Message.subject, Message.state).where(of_work)
    newest_last = query.order_by(Message.updated_at, Message.created_at)
    return {message.subject: message.state for message in newest_last}
