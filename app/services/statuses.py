"""Where a job stands, as its owner is told."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import peewee as pw

from app.error_codes import by_code
from app.models import sql
from app.models.jobs import ACTIVE, DONE, Chunk, Job, JobStage
from app.models.videos import Video
from app.services import estimates, jobs, messages, waits
from app.services.selection import Selection
from app.stages import FAN_OUT
from app.values import PRIORITIES

PLACES = 1000
"""A job farther back in the queue than this is told PLACES + 1."""


@dataclass(frozen=True)
class Failure:
    """What went wrong, whether the same again may succeed, and what to do."""

    code: str
    detail: str
    retryable: bool
    hint: str


@dataclass(frozen=True)
class StageStatus:
    """Where one stage stands; progress in per cent."""

    name: str
    status: str
    progress: float
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    error: Failure | None


@dataclass(frozen=True)
class JobStatus:
    """Where a job stands; progress in per cent, queue_position counted from 1 while it waits.

    Lists leave the position out; PLACES + 1 of them says that the job is farther back.
    """

    job_id: str
    user_id: str
    name: str
    url: str
    status: str
    priority: int
    progress: float
    current_stage: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    run_at: datetime | None
    attempt: int
    next_retry_at: datetime | None
    waits_for: str | None
    message: str | None
    video_id: str | None
    video_title: str | None
    warning: str | None
    error: Failure | None
    estimated_completion: datetime | None = None
    queue_position: int | None = None
    message_state: str = "none"
    stages: list[StageStatus] = field(default_factory=list)


def of(job_id: str, owner: str | None) -> JobStatus:
    """The job's status with its stages; NotFound where the owner (None: an admin) has none of that id."""
    job = jobs.get(job_id, owner)
    ((status, stages),) = _statuses([job])
    worker = Job.get_by_id(job.follows_id) if _follows(job) else job
    place = _queue_position(worker) if job.state == "pending" else None
    return replace(status, stages=[_stage(stage) for stage in stages], queue_position=place)


def page(selection: Selection, *, limit: int = 50) -> list[JobStatus]:
    """The selected jobs, newest first, without their stages."""
    query = selection.apply(Job.select(Job, Video).join(Video, pw.JOIN.LEFT_OUTER))
    return [status for status, _ in _statuses(list(query.limit(limit)))]


def _statuses(rows: list[Job]) -> list[tuple[JobStatus, list[JobStage]]]:
    """Each job's status and stages: those of the job that does its work."""
    followed = [job.follows_id for job in rows if _follows(job)]
    leaders = {job.id: job for job in Job.select().where(Job.id.in_(followed))} if followed else {}
    working = [leaders.get(job.follows_id or "", job) if _follows(job) else job for job in rows]
    by_job: dict[str, list[JobStage]] = {job.id: [] for job in working}
    for stage in JobStage.select().where(JobStage.job.in_(list(by_job))).order_by(JobStage.position):
        by_job[stage.job_id].append(stage)
    done_at = estimates.completions(working, by_job)
    waiting = waits.resources([job.id for job in working if job.state in ACTIVE])
    told = messages.latest_states([job.id for job in working])
    return [
        (
            replace(
                _status(job, worker, by_job[worker.id], waiting.get(worker.id)),
                message_state=told.get(worker.id, "delayed" if job.state == "scheduled" else "none"),
                estimated_completion=done_at.get(worker.id) if job.state in ACTIVE else None,
            ),
            by_job[worker.id],
        )
        for job, worker in zip(rows, working, strict=True)
    ]


def _follows(job: Job) -> bool:
    return job.follows_id is not None and job.state in ACTIVE


def _status(job: Job, worker: Job, stages: list[JobStage], waits_for: str | None) -> JobStatus:
    current = next((stage for stage in stages if stage.state not in DONE), None)
    return JobStatus(
        job_id=job.id,
        user_id=job.owner,
        name=job.name,
        url=job.url,
        status=job.state,
        priority=job.priority,
        progress=job.progress,
        current_stage=current.name if current else None,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        run_at=job.run_at,
        attempt=current.attempt if current else max((stage.attempt for stage in stages), default=0),
        next_retry_at=_next_retry(worker.id, current) if job.state in ACTIVE else None,
        waits_for=waits_for,
        message=waits.sentence(worker, current, waits_for) if job.state in ACTIVE else None,
        video_id=job.video_id,
        video_title=job.video.title if job.video else None,
        warning=job.warning,
        error=failure(job.error_code, job.error_text) or _held_up(job, current),
    )


def _stage(row: JobStage) -> StageStatus:
    return StageStatus(
        name=row.name,
        status=row.state,
        progress=round(100 * row.progress, 1),
        attempt=row.attempt,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=failure(row.error_code, row.error_text),
    )


def _held_up(job: Job, current: JobStage | None) -> Failure | None:
    """What keeps a job waiting that has not failed."""
    waits_for_it = current and current.state == "pending" and job.state in ("scheduled", "pending")
    return failure(current.error_code, current.error_text) if current and waits_for_it else None


def failure(code: str | None, text: str | None) -> Failure | None:
    """What the code of an error means, with the text that came with it; None: there is no error."""
    if code is None:
        return None
    kind = by_code(code)
    return Failure(code, text or "", kind.retryable, kind.hint)


def _next_retry(job_id: str, current: JobStage | None) -> datetime | None:
    if current is None:
        return None
    own: datetime | None = current.next_retry_at
    if current.name != FAN_OUT:
        return own
    chunks = Chunk.select(Chunk.next_retry_at).where((Chunk.job == job_id) & (Chunk.state == "retrying"))
    first: Chunk | None = chunks.order_by(Chunk.next_retry_at).first()
    return first.next_retry_at if first else own


def _queue_position(job: Job) -> int:
    """Places are counted up to PLACES: nobody walks a line of a hundred thousand at every look."""
    same = [("priority = ? AND id < ?", job.priority, job.id)]
    higher = [("priority = ?", level) for level in PRIORITIES.values() if level > job.priority]
    ahead = 0
    for which, *values in (*same, *higher):  # each a range of an index
        line = f"SELECT 1 FROM job WHERE state = 'pending' AND follows_id IS NULL AND {which} LIMIT ?"
        ahead += sql.find(f"SELECT COUNT(*) FROM ({line}) AS ahead", *values, PLACES - ahead)[0][0]
    return ahead + 1
