"""Takes new jobs in: once each, whatever is sent twice."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import peewee as pw
from ulid import ULID

from app import clock
from app.errors import Conflict, IdempotencyConflict
from app.models import sql
from app.models.base import database, transactional
from app.models.jobs import ACTIVE, Job
from app.services import duplicates, events, jobs, notifications, starts, videos, webhooks
from app.services.webhooks import Registered

TRIES = 5
"""How often a request is looked at that others of its kind overtake."""


@dataclass(frozen=True)
class Request:
    """What somebody asks for. media_key: the stored file of an upload, which then needs no download."""

    owner: str
    url: str
    name: str
    mode: str = "auto"
    priority: int = 1
    language: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    run_at: datetime | None = None
    force: bool = False
    idempotency_key: str | None = None
    media_key: str | None = None
    webhook_url: str | None = None
    job_id: str = field(default_factory=lambda: str(ULID()))

    def dedup_key(self) -> str:
        """The same for requests whose result would be the same."""
        return duplicates.key(self.url, self.mode, self.language, self.options)

    def body(self) -> str:
        """The same for requests that ask for the same."""
        when = self.run_at.isoformat() if self.run_at else None
        told = [self.webhook_url] if self.webhook_url else []
        return duplicates.digest([self.dedup_key(), self.priority, when, self.force, *told])


@dataclass(frozen=True)
class Receipt:
    """The job that answers a request, and whether it was there before."""

    job: Job
    deduplicated: bool = False
    webhook: Registered | None = None


def accept(request: Request) -> Receipt:
    """Store the job and all that starts it, or find the owner's twin; and let its webhook be told of it."""
    if not database.in_transaction():
        with suppress(pw.IntegrityError):  # somebody asked for this before: only then it is worth a look
            return _accept(request, _begin)
    return _accept(request, _look_and_begin)


@transactional
def _accept(request: Request, begin: Callable[[Request], Receipt]) -> Receipt:
    receipt = begin(request)
    if request.webhook_url is None or receipt.job.state not in ACTIVE:
        return receipt
    return replace(receipt, webhook=webhooks.attach(receipt.job, request.webhook_url))


def _begin(request: Request) -> Receipt:
    """Store the job and all that starts it; IntegrityError, perhaps at the end only, where it is not new."""
    row = _row(request, None)
    sql.later(*_insertion(row))
    job = Job(**row)
    _start(job)
    return Receipt(job)


def _look_and_begin(request: Request) -> Receipt:
    """Store the job and all that starts it, or that lets it follow one at work; or find the owner's twin."""
    if stored := Job.get_or_none(id=request.job_id):
        return Receipt(stored)  # by this very call, whose commit went through though its answer was lost
    for _ in range(TRIES):
        if known := _sent_before(request):
            return Receipt(known, deduplicated=True)
        leader = _leader(request)
        twin = duplicates.of_owner(leader, request.owner) if leader else None
        if leader:
            duplicates.raise_priority(leader, request.priority)
        if leader and twin:
            return Receipt(_returned(twin, leader, request.priority), deduplicated=True)
        if job := _store(request, leader):
            _follow(job, leader) if leader else _start(job)
            return Receipt(Job.get_by_id(job.id) if leader else job)
    raise Conflict("Too many requests for this video came at once.")


def _sent_before(request: Request) -> Job | None:
    if request.idempotency_key is None:
        return None
    job = Job.get_or_none(owner=request.owner, idempotency_key=request.idempotency_key)
    if job and job.request_hash != request.body():
        raise IdempotencyConflict(
            f"The Idempotency-Key {request.idempotency_key!r} came with another request."
        )
    return job


def _leader(request: Request) -> Job | None:
    """The job whose result serves the request too; None where it is forced aside, or starts too late."""
    leader = duplicates.holder(request.dedup_key())
    if leader is None:
        return None
    late = leader.state == "scheduled" and (request.run_at is None or leader.run_at > request.run_at)
    if request.force or (late and leader.owner != request.owner):
        duplicates.release_key(leader)
        return None
    return leader


def _returned(twin: Job, leader: Job, priority: int) -> Job:
    """The owner's own job as it is to be now; its result is theirs again where they had deleted it."""
    duplicates.raise_priority(twin, priority)
    if twin.state == "completed" and leader.video_id:
        videos.give_access(leader.video_id, twin.owner)
    return twin


def _store(request: Request, leader: Job | None) -> Job | None:
    """Store the job's row; None where a request that came at the same time has taken its key."""
    row = _row(request, leader)
    try:
        sql.change(*_insertion(row))
    except pw.IntegrityError:
        return None
    return Job(**row)


def _insertion(row: dict[str, Any]) -> tuple[Any, ...]:
    columns, values = f"{', '.join(row)}, notifies", f"{sql.marks(list(row))}, {notifications.WANTED}"
    return f"INSERT INTO job ({columns}) VALUES ({values})", *row.values(), row["owner"]


def _row(request: Request, leader: Job | None) -> dict[str, Any]:
    shared: dict[str, Any] = {"dedup_key": request.dedup_key(), "progress": 0.0}
    state = "scheduled" if request.run_at else "pending"
    if leader:
        started_at = clock.now() if leader.started_at else None
        shared = {"follows_id": leader.id, "video_id": leader.video_id, "started_at": started_at}
        shared |= {"progress": leader.progress}
        state = leader.state if leader.state in ACTIVE else state
    return shared | {
        "id": request.job_id,
        "owner": request.owner,
        "url": request.url,
        "name": leader.name if leader and not request.media_key else request.name,
        "priority": request.priority,
        "mode": request.mode,
        "language": request.language,
        "options": request.options,
        "state": state,
        "idempotency_key": request.idempotency_key,
        "request_hash": request.body(),
        "revision": request.job_id,
        "message_id": str(uuid4()),
        "media_key": request.media_key,
        "event_seq": 1,  # of events.begin()
        "leads": False,
        "run_at": request.run_at,
        "created_at": clock.now(),
    }


def _start(job: Job) -> None:
    starts.lay_out(job)
    starts.queue(job, starts.first_stage(job))
    events.begin(job.id, job.state)


def _follow(job: Job, leader: Job) -> None:
    events.begin(job.id, job.state)
    sql.later("UPDATE job SET leads = 1 WHERE id = ?", leader.id)
    if leader.state == "completed":
        jobs.share(leader.id, job)
