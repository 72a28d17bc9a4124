"""Messages as an operator reads them: those of a queue, page by page, and each with its history."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from app import clock
from app.models.messages import Message, MessageEvent, Outbox
from app.services import queues

TABS = ("standard", "delayed", "failed")
STATES = {"standard": queues.WAITING, "failed": ("dead",)}


@dataclass(frozen=True)
class Step:
    """The message entered a state, by the doing of this worker."""

    state: str
    worker: str | None
    at: datetime


@dataclass(frozen=True)
class Listed:
    """A message; due_at is when it may start, job_id the job that it works for."""

    id: str
    queue: str
    actor: str
    subject: str
    position: int | None
    priority: int
    state: str
    attempts: int
    worker: str | None
    error: str | None
    traceback: str | None
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None = None
    history: tuple[Step, ...] = ()

    @property
    def args(self) -> list[str | int]:
        """What its actor is called with."""
        return [self.subject] if self.position is None else [self.subject, self.position]


@dataclass(frozen=True)
class Page:
    """Messages, and behind which moment and id the next page begins; None: there is none."""

    messages: list[Listed]
    after: tuple[datetime, str] | None


def page(queue: str, tab: str, after: tuple[datetime, str] | None, *, limit: int) -> Page:
    """Messages of the queue: the latest changed first; of those that wait for their time the first due."""
    found = _delayed(queue, after, limit + 1) if tab == "delayed" else _recent(queue, tab, after, limit + 1)
    listed = found[:limit]
    last = listed[-1] if len(found) > limit else None
    return Page(
        listed,
        ((last.due_at or last.updated_at) if tab == "delayed" else last.updated_at, last.id)
        if last
        else None,
    )


def get(message_id: str) -> Listed | None:
    """The message with its history; None where it is gone."""
    row: Message | None = Message.get_or_none(id=message_id)
    waiting: Outbox | None = Outbox.get_or_none(message_id=message_id)
    if row is None:
        return _waiting(waiting, None) if waiting else None
    return _listed(row, waiting, tuple(_history([message_id])[message_id]))


def of_job(job_id: str, *, limit: int) -> list[Listed]:
    """The job's messages with their history, the latest first."""
    rows = list(
        Message.select().where(Message.subject == job_id).order_by(Message.updated_at.desc()).limit(limit)
    )
    waiting = {row.message_id: row for row in Outbox.select().where(Outbox.subject == job_id)}
    history = _history([row.id for row in rows])
    return [_listed(row, waiting.get(row.id), tuple(history[row.id])) for row in rows]


def _recent(queue: str, tab: str, after: tuple[datetime, str] | None, limit: int) -> list[Listed]:
    """From each actor and state so many, by its index, and what is not sent yet, merged."""
    parts = [
        _in_state(actor, state, after, limit) for actor in queues.actors_of(queue) for state in STATES[tab]
    ]
    if tab == "standard":
        parts.append(_unsent(queue, after, limit))
    merged = heapq.merge(*parts, key=lambda row: (row.updated_at, row.id), reverse=True)
    return list(islice(merged, limit))


def _unsent(queue: str, after: tuple[datetime, str] | None, limit: int) -> Iterator[Listed]:
    here = Outbox.actor.in_(queues.actors_of(queue)) & queues.unsent()
    if after:
        at, message_id = after
        here &= (Outbox.created_at < at) | ((Outbox.created_at == at) & (Outbox.message_id < message_id))
    query = Outbox.select().where(here).order_by(Outbox.created_at.desc(), Outbox.message_id.desc())
    return (_waiting(row, None) for row in query.limit(limit))


def _in_state(actor: str, state: str, after: tuple[datetime, str] | None, limit: int) -> Iterator[Listed]:
    here = (Message.queue == actor) & (Message.state == state)
    if state in queues.WAITING:
        here &= queues.is_open()
    if after:
        at, message_id = after
        here &= Message.updated_at <= at
        here &= (Message.updated_at < at) | (Message.id < message_id)
    query = Message.select().where(here).order_by(Message.updated_at.desc(), Message.id.desc())
    return (_listed(row, None, ()) for row in query.limit(limit))


def _delayed(queue: str, after: tuple[datetime, str] | None, limit: int) -> list[Listed]:
    here = Outbox.actor.in_(queues.actors_of(queue)) & (Outbox.available_at > clock.now())
    if after:
        at, message_id = after
        here &= (Outbox.available_at > at) | ((Outbox.available_at == at) & (Outbox.message_id > message_id))
    query = Outbox.select().where(here).order_by(Outbox.available_at, Outbox.message_id).limit(limit)
    waiting = list(query)
    known = {
        row.id: row for row in Message.select().where(Message.id.in_([row.message_id for row in waiting]))
    }
    return [_waiting(row, known.get(row.message_id)) for row in waiting]


def _waiting(row: Outbox, known: Message | None) -> Listed:
    if known:
        return _listed(known, row, ())
    return Listed(
        id=row.message_id,
        queue=queues.QUEUE_OF.get(row.actor, row.actor),
        actor=row.actor,
        subject=row.subject,
        position=row.position,
        priority=row.priority,
        state="delayed" if row.available_at > clock.now() else "none",
        attempts=0,
        worker=None,
        error=None,
        traceback=None,
        created_at=row.created_at,
        updated_at=row.created_at,
        due_at=row.available_at,
    )


def _listed(row: Message, waiting: Outbox | None, history: tuple[Step, ...]) -> Listed:
    same = (
        *("id", "actor", "subject", "position", "priority", "state", "attempts", "worker"),
        *("error", "traceback", "created_at", "updated_at"),
    )
    return Listed(
        **{name: getattr(row, name) for name in same},
        queue=queues.QUEUE_OF.get(row.queue, row.queue),
        due_at=waiting.available_at if waiting else None,
        history=history,
    )


def _history(message_ids: list[str]) -> dict[str, list[Step]]:
    history: dict[str, list[Step]] = {message_id: [] for message_id in message_ids}
    events = MessageEvent.select().where(MessageEvent.message.in_(message_ids)).order_by(MessageEvent.id)
    for event in events:
        history[event.message_id].append(Step(event.state, event.worker, event.at))
    return history
