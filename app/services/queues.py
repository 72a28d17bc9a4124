"""How deep the queues are: by RabbitMQ where it tells, else by our rows."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import peewee as pw

from app import clock, config
from app.engines.management import DeadLetter, Management, address_of, broker_answers
from app.errors import ManagementUnavailable
from app.models.jobs import ACTIVE, Job
from app.models.messages import Message, Outbox
from app.stages import CHUNK_ACTOR, NAMES, POOLS

ACTORS = {"housekeeping": ("clean_up", "forget_video", "keep_house")}
"""Actors of a queue that does not bear its only actor's name."""
QUEUE_OF = {actor: queue for queue, actors in ACTORS.items() for actor in actors}
BROKER_AWAY = "RabbitMQ does not answer: jobs wait in the database until it does, and none is lost."
INSTEAD = "What waits is counted from the database instead."
WAITING = ("enqueued", "running")
KEEP_S, KEEP_FAILURE_S = 1.0, 5.0
"""How long RabbitMQ's answer is good, and how long it is left alone after none came."""


class _Unknown(int):
    """A number that nobody knows."""

    def __str__(self) -> str:
        return "?"


UNKNOWN = _Unknown(0)
Counts = Mapping[str, int]
Reading = Callable[[Callable[[], Counts], Counts], Counts]


@dataclass(frozen=True)
class Depth:
    """Messages of a queue: waiting or worked on, waiting for their time, failed, and set aside unread."""

    name: str
    waiting: int
    delayed: int
    dead: int
    strays: int


@dataclass(frozen=True)
class Depths:
    """All queues; trouble says what could not be asked."""

    queues: list[Depth]
    trouble: tuple[str, ...]


@dataclass
class _Told:
    """RabbitMQ's last answer, shared by this process's requests."""

    until: float = 0.0
    depths: Mapping[str, int] | None = None
    problem: str = ""
    management: Management | None = None
    of: tuple[str, str] = ("", "")
    lock: threading.Lock = field(default_factory=threading.Lock)


_told = _Told()


def actors_of(queue: str) -> tuple[str, ...]:
    """The actors whose messages the queue holds."""
    return ACTORS.get(queue, (queue,))


def every(reading: Reading = lambda read, _instead: read()) -> Depths:
    """All queues, in the order of the work; reading says what to do where the database does not answer."""
    told, problem = _ask()
    waiting = reading(_waiting_rows, {}) if told is None else told
    delayed = reading(lambda: _count(Outbox.available_at > clock.now(), Outbox), {})
    dead = reading(lambda: _count(Message.state == "dead", Message), {})
    strays = told or {}
    queues = [
        Depth(
            name,
            waiting.get(name, UNKNOWN if told is None else 0),
            delayed.get(name, UNKNOWN),
            dead.get(name, UNKNOWN),
            strays.get(f"{name}.XQ", 0),
        )
        for name in POOLS
    ]
    return Depths(queues, (problem,) if problem else ())


def strays(queue: str, most: int) -> list[DeadLetter]:
    """The first messages that RabbitMQ set aside because nobody could read them, or knew their actor."""
    _ask()
    if _told.management is None or not (_told.depths or {}).get(f"{queue}.XQ"):
        return []
    try:
        return _told.management.peek(f"{queue}.XQ", most)
    except ManagementUnavailable:
        return []


def is_open() -> pw.Expression:
    """Whether a message's work may still be done: what is left of a job that has ended does not count."""
    active = Job.select(pw.SQL("1")).where((Job.id == Message.subject) & Job.state.in_(ACTIVE))
    return Message.actor.not_in((*NAMES, CHUNK_ACTOR)) | pw.fn.EXISTS(active)


def _ask() -> tuple[Mapping[str, int] | None, str]:
    """Depths by the names of RabbitMQ's queues, or None and why; inside `ytrag up`, neither."""
    settings = config.current()
    if not settings.broker_url:
        return None, ""
    where = (settings.broker_management_url or address_of(settings.broker_url), settings.broker_url)
    if not _told.lock.acquire(blocking=not _told.until):  # what is being asked anew need not hold up others
        return _told.depths, _told.problem
    try:
        if _told.of != where:
            _told.management, _told.of, _told.until = Management(*where), where, 0.0
        if time.monotonic() >= _told.until and _told.management:
            try:
                _told.depths, _told.problem = _told.management.depths(), ""
            except ManagementUnavailable as error:
                _told.depths, _told.problem = None, _problem(error, settings.broker_url)
            _told.until = time.monotonic() + (KEEP_FAILURE_S if _told.problem else KEEP_S)
        return _told.depths, _told.problem
    finally:
        _told.lock.release()


def _problem(error: ManagementUnavailable, broker_url: str) -> str:
    """What is wrong: with RabbitMQ as a whole, or with its management API alone."""
    if not broker_answers(broker_url):
        return f"{BROKER_AWAY} {INSTEAD}"
    return f"{error.detail} {INSTEAD} {error.hint}"


def unsent() -> pw.Expression:
    """Whether a row of the outbox is due and nobody has taken it up: RabbitMQ may be away."""
    return (Outbox.available_at <= clock.now()) & Outbox.lease_until.is_null()


def _waiting_rows() -> Counts:
    sent, due = _count(Message.state.in_(WAITING) & is_open(), Message), _count(unsent(), Outbox)
    return {name: sent[name] + due[name] for name in POOLS}


def _count(condition: pw.Expression, rows: type[Message] | type[Outbox]) -> dict[str, int]:
    query: Any = rows.select(rows.actor, pw.fn.COUNT(rows.id)).where(condition).group_by(rows.actor).tuples()
    counts = dict.fromkeys(POOLS, 0)
    for actor, count in query:
        queue = QUEUE_OF.get(actor, actor)
        counts[queue] = counts.get(queue, 0) + count
    return counts
