"""What an event tells, to listeners and to webhooks, for which it is stored in the event's transaction."""

import json
from datetime import datetime, timedelta
from typing import Any

import peewee as pw
from ulid import ULID

from app import clock
from app.models.base import is_sqlite
from app.models.jobs import Job, JobEvent
from app.models.messages import Outbox
from app.models.videos import Segment, Video
from app.models.webhooks import Delivery, Webhook
from app.services import outbox
from app.stages import CHUNK_ACTOR, FAN_OUT, NAMES

KINDS = ("progress", "completed", "failed", "cancelled")
"""Events of which webhooks are told."""

PROGRESS_EVERY = timedelta(seconds=5)
"""A webhook hears of a job's progress this often at most."""


def describe(job_id: str, seq: int, kind: str, payload: dict[str, Any], at: datetime) -> dict[str, Any]:
    """What the event says, under the names that the documentation promises."""
    when = at.isoformat()
    match kind:
        case "progress":
            return {
                "job_id": job_id,
                **_progress(job_id, seq, payload["overall_progress"]),
                "timestamp": when,
            }
        case "completed":
            about = {"job_id": job_id, **payload, "completed_at": when}
            return about | {"stats": _stats(payload["video_id"])}
        case "failed":
            attempt = _stage_before(job_id, seq).get("attempt", 1)
            about = {"job_id": job_id, **payload, "failed_at": when}
            return about | {"retry_count": max(0, attempt - 1), "attempt": attempt}
        case "cancelled":
            return {"job_id": job_id, "cancelled_at": when}
    return {"job_id": job_id, **payload, "timestamp": when}


WANTED = "EXISTS (SELECT 1 FROM webhook w WHERE w.owner = ? AND w.job_id IS NULL AND w.state <> 'disabled')"
"""Whether a webhook of the owner's is to hear of a new job, settled by the statement that stores it."""


def note(job_id: str, seq: int, kind: str, payload: dict[str, Any], at: datetime) -> None:
    """Have the webhooks told that want to hear of it; call it in the event's transaction."""
    if kind not in KINDS:
        return
    owner = Job.select(Job.owner).where(Job.id == job_id)
    listening = (Webhook.job == job_id) | (Webhook.job.is_null() & (Webhook.owner == owner))
    hooks = [
        hook
        for hook in Webhook.select().where(listening & (Webhook.state != "disabled"))
        if kind in hook.events and not (kind == "progress" and _told_lately(hook, job_id))
    ]
    if hooks:
        body = body_of(kind, describe(job_id, seq, kind, payload, at), at)
        for hook in hooks:
            add(hook, kind, body, job_id=job_id, seq=seq)


def body_of(kind: str, data: dict[str, Any], at: datetime) -> str:
    """The body of a delivery, as Standard Webhooks lay it out."""
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False)


def add(hook: Webhook, kind: str, body: str, *, job_id: str | None = None, seq: int | None = None) -> str:
    """Store a delivery and have it sent; call it inside a transaction. Returns its id."""
    now, delivery_id = clock.now(), str(ULID())
    Delivery.insert(
        id=delivery_id,
        webhook=hook.id,
        job=job_id,
        seq=seq,
        type=kind,
        body=body,
        state="pending",
        next_at=now,
        created_at=now,
    ).execute()
    ring(hook.id)
    return delivery_id


def ring(webhook_id: str) -> None:
    """Have what is due to the webhook sent now; call it inside a transaction."""
    outbox.add("notify", webhook_id, priority=1)
    waits = (Outbox.actor == "notify") & (Outbox.subject == webhook_id) & Outbox.lease_until.is_null()
    now = clock.now()
    Outbox.update(available_at=now).where(waits & (Outbox.available_at > now)).execute()


def _told_lately(hook: Webhook, job_id: str) -> bool:
    here = (Delivery.webhook == hook.id) & (Delivery.job == job_id) & (Delivery.type == "progress")
    return bool(Delivery.select().where(here & (Delivery.created_at > clock.now() - PROGRESS_EVERY)).exists())


def _progress(job_id: str, seq: int, progress: float) -> dict[str, Any]:
    before = _stage_before(job_id, seq)
    stage = before.get("stage", NAMES[0])
    if before.get("status") == "completed":
        stage = NAMES[min(NAMES.index(stage) + 1, len(NAMES) - 1)]
    status = "retrying" if before.get("status") == "retrying" else "running"
    about = {"status": status, "overall_progress": progress, "current_stage": stage}
    return {**about, "message": f"{progress:g} % done; {status} {stage}."}


def _stage_before(job_id: str, seq: int) -> dict[str, Any]:
    """What the last event of a stage said before this one."""
    earlier = (JobEvent.job == job_id) & (JobEvent.type == "stage") & (JobEvent.seq < seq)
    last: JobEvent | None = JobEvent.select().where(earlier).order_by(JobEvent.seq.desc()).first()
    stage = dict(last.payload) if last else {}
    return stage | {"stage": FAN_OUT} if stage.get("stage") == CHUNK_ACTOR else stage


def _stats(video_id: str) -> dict[str, Any]:
    """Sizes of the video's transcript as it is now; a passage is embedded whole and by its sentences."""
    video: Video | None = Video.get_or_none(id=video_id)
    if video is None:
        return {"total_segments": 0, "total_embeddings": 0, "video_duration_s": None}
    length = pw.fn.JSON_ARRAY_LENGTH if is_sqlite() else pw.fn.JSON_LENGTH
    embedded = pw.Case(None, [(Segment.vectors.is_null(), 0)], 1 + length(Segment.sentences))
    sizes = Segment.select(pw.fn.COUNT(Segment.id), pw.fn.SUM(embedded))
    mine = (Segment.video == video_id) & (Segment.revision == video.revision)
    segments, embeddings = sizes.where(mine).tuples().first()
    return {
        "total_segments": segments,
        "total_embeddings": int(embeddings or 0),
        "video_duration_s": video.duration_s,
    }


def as_stream(event_id: str, kind: str, data: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"id: {event_id}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
