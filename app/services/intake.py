"""Takes new jobs in: once each, whatever is sent twice."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from ulid import ULID

from app import clock
from app.errors import IdempotencyConflict
from app.models.base import transactional
from app.models.jobs import ACTIVE, Job, JobStage
from app.models.messages import Outbox
from app.services import events, messages, outbox
from app.services.messages import MessageRef
from app.stages import STAGES


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
    job_id: str = field(default_factory=lambda: str(ULID()))

    def dedup_key(self) -> str:
        """The same for requests whose result would be the same."""
        return _digest([self.owner, self.url, self.mode, self.language, self.options])

    def body(self) -> str:
        """The same for requests that ask for the same."""
        when = self.run_at.isoformat() if self.run_at else None
        return _digest([self.dedup_key(), self.priority, when, self.force])


@dataclass(frozen=True)
class Receipt:
    """The job that answers a request, and whether it was there before."""

    job: Job
    deduplicated: bool = False


@transactional
def accept(request: Request) -> Receipt:
    """Store the job, its stages, an event and the message that starts it; or find its twin."""
    known = _sent_before(request) or _same_result(request)
    if known:
        return Receipt(known, deduplicated=True)
    job = _store(request)
    first = next(stage.name for stage in STAGES if not (request.media_key and stage.name == "download"))
    outbox.add(first, job.id, priority=job.priority, available_at=request.run_at, message_id=job.message_id)
    state = "delayed" if request.run_at else "none"
    messages.record(MessageRef(job.message_id, first, job.id, job.priority), state)
    return Receipt(job)


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sent_before(request: Request) -> Job | None:
    if request.idempotency_key is None:
        return None
    job = Job.get_or_none(owner=request.owner, idempotency_key=request.idempotency_key)
    if job and job.request_hash != request.body():
        raise IdempotencyConflict(
            f"The Idempotency-Key {request.idempotency_key!r} came with another request."
        )
    return job


def _same_result(request: Request) -> Job | None:
    """The job that holds the key: forced aside, or joined with the higher of both priorities."""
    holder = Job.get_or_none(dedup_key=request.dedup_key())
    if holder is None:
        return None
    if request.force:
        Job.update(dedup_key=None).where(Job.id == holder.id).execute()
        return None
    if request.priority > holder.priority and holder.state in ACTIVE:
        Job.update(priority=request.priority).where(Job.id == holder.id).execute()
        Outbox.update(priority=request.priority).where(Outbox.subject == holder.id).execute()
    return holder


def _store(request: Request) -> Job:
    job = Job.create(
        id=request.job_id,
        owner=request.owner,
        url=request.url,
        name=request.name,
        priority=request.priority,
        mode=request.mode,
        language=request.language,
        options=request.options,
        state="scheduled" if request.run_at else "pending",
        idempotency_key=request.idempotency_key,
        request_hash=request.body(),
        dedup_key=request.dedup_key(),
        message_id=str(uuid4()),
        media_key=request.media_key,
        run_at=request.run_at,
        created_at=clock.now(),
        force_insert=True,
    )
    for position, stage in enumerate(STAGES):
        state = "skipped" if stage.name == "download" and request.media_key else "pending"
        JobStage.create(job=job.id, name=stage.name, position=position, state=state)
    events.add(job.id, job.state)
    return job
