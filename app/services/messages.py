"""The life of each message, written in the transactions that change the work it stands for."""

from dataclasses import dataclass

from app import clock
from app.models.messages import Message, MessageEvent
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


def record(
    ref: MessageRef,
    state: str,
    *,
    worker: str | None = None,
    error: str | None = None,
    traceback: str | None = None,
) -> None:
    """Store that the message entered the state; call it inside the transaction of the cause."""
    moment = clock.now()
    changes = {
        Message.state: state,
        Message.worker: worker,
        Message.error: error,
        Message.traceback: traceback,
        Message.updated_at: moment,
        Message.attempts: Message.attempts + int(state == "running"),
    }
    if state == "enqueued":
        changes[Message.enqueued_at] = moment
    if not Message.update(changes).where(Message.id == ref.id).execute():
        Message.insert(
            id=ref.id,
            queue=ref.actor,
            actor=ref.actor,
            subject=ref.subject,
            position=ref.position,
            priority=ref.priority,
            state=state,
            attempts=int(state == "running"),
            worker=worker,
            error=error,
            traceback=traceback,
            enqueued_at=moment if state == "enqueued" else None,
            created_at=moment,
            updated_at=moment,
        ).execute()
    MessageEvent.insert(message=ref.id, state=state, worker=worker, at=moment).execute()


def interrupted(actor: str, job_id: str, position: int | None) -> str | None:
    """Id of the message under which the work ran whose worker was lost."""
    here = (Message.actor == actor) & (Message.subject == job_id) & (Message.state == "running")
    here &= Message.position.is_null() if position is None else (Message.position == position)
    newest: Message | None = Message.select().where(here).order_by(Message.updated_at.desc()).first()
    return newest.id if newest else None


def latest_state(job_id: str) -> str:
    """State of the job's newest message, 'none' where it has none."""
    newest = (
        Message.select(Message.state)
        .where((Message.subject == job_id) & Message.actor.in_((*NAMES, CHUNK_ACTOR)))
        .order_by(Message.updated_at.desc(), Message.created_at.desc())
        .first()
    )
    return str(newest.state) if newest else "none"
