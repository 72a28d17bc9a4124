"""Jobs as the lines of the dashboard's lists, read with few queries however long the list is."""

from dataclasses import dataclass
from datetime import datetime

import peewee as pw

from app.error_codes import by_code
from app.models.jobs import DONE, Chunk, Job, JobStage
from app.models.videos import Video
from app.services.selection import Selection


@dataclass(frozen=True)
class Line:
    """One job: the stage where it stands or failed, when it goes on, and what to do about its error."""

    id: str
    title: str
    url: str
    owner: str
    state: str
    priority: int
    progress: float
    stage: str | None
    attempt: int
    worker: str | None
    error_code: str | None
    error_text: str | None
    hint: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    next_at: datetime | None
    video_id: str | None


def page(wanted: Selection, *, limit: int) -> list[Line]:
    """The selected jobs, newest first."""
    query = wanted.apply(Job.select(Job, Video.title).join(Video, pw.JOIN.LEFT_OUTER))
    return _lines(list(query.limit(limit)))


def retrying(wanted: Selection, *, limit: int) -> list[Line]:
    """Likewise, of those of which some work waits for its next attempt."""
    chunks = Chunk.select(Chunk.job).where(Chunk.state == "retrying")
    query = wanted.apply(Job.select(Job, Video.title).join(Video, pw.JOIN.LEFT_OUTER))
    return _lines(list(query.where((Job.state == "retrying") | Job.id.in_(chunks)).limit(limit)))


def _lines(jobs: list[Job]) -> list[Line]:
    ids = [job.follows_id or job.id for job in jobs]
    open_stages = (JobStage.job.in_(ids)) & JobStage.state.not_in(DONE)
    stages: dict[str, JobStage] = {}
    for stage in JobStage.select().where(open_stages).order_by(JobStage.position.desc()):
        stages[stage.job_id] = stage
    waiting = (Chunk.job.in_(ids)) & (Chunk.state == "retrying")
    of_chunks: dict[str, datetime] = {}
    for chunk in (
        Chunk.select(Chunk.job, Chunk.next_retry_at).where(waiting).order_by(Chunk.next_retry_at.desc())
    ):
        if chunk.next_retry_at:
            of_chunks[chunk.job_id] = chunk.next_retry_at
    return [
        _line(job, stages.get(job.follows_id or job.id), of_chunks.get(job.follows_id or job.id))
        for job in jobs
    ]


def _line(job: Job, stage: JobStage | None, chunk_due: datetime | None) -> Line:
    code = job.error_code or (stage.error_code if stage else None)
    return Line(
        id=job.id,
        title=job.video.title if job.video else job.name.removeprefix("Process video: "),
        url=job.url,
        owner=job.owner,
        state=job.state,
        priority=job.priority,
        progress=job.progress,
        stage=stage.name if stage else None,
        attempt=stage.attempt if stage else 0,
        worker=stage.worker if stage and stage.state == "running" else None,
        error_code=code,
        error_text=job.error_text or (stage.error_text if stage else None),
        hint=by_code(code).hint if code else "",
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        next_at=chunk_due
        or (stage.next_retry_at if stage else None)
        or (job.run_at if job.state == "scheduled" else None),
        video_id=job.video_id,
    )
