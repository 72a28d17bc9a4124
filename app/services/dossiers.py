"""All that is known of one job, for whoever has to find out what became of it."""

from dataclasses import dataclass

from app.models.jobs import ACTIVE, Chunk, Job, JobEvent, JobStage
from app.services import message_pages, statuses
from app.services.message_pages import Listed
from app.services.statuses import JobStatus

MOST_EVENTS, MOST_MESSAGES = 200, 100


@dataclass(frozen=True)
class Dossier:
    """The job, the one whose work it shares, that work's stages, chunks, messages, and the newest events."""

    job: JobStatus
    leader: str | None
    stages: list[JobStage]
    chunks: list[Chunk]
    events: list[JobEvent]
    messages: list[Listed]


def of(job_id: str) -> Dossier:
    """The job's; NotFound where there is none."""
    job = statuses.of(job_id, None)
    row = Job.get_by_id(job_id)
    leader = row.follows_id if row.state in ACTIVE else None
    worker = leader or job_id
    shown = (Chunk.id, Chunk.job, Chunk.position, Chunk.start_s, Chunk.end_s, Chunk.state, Chunk.attempt)
    more = (Chunk.progress, Chunk.worker, Chunk.error_code, Chunk.error_text, Chunk.next_retry_at)
    events = JobEvent.select().where(JobEvent.job == job_id).order_by(JobEvent.seq.desc())
    return Dossier(
        job,
        leader,
        list(JobStage.select().where(JobStage.job == worker).order_by(JobStage.position)),
        list(Chunk.select(*shown, *more).where(Chunk.job == worker).order_by(Chunk.position)),
        list(events.limit(MOST_EVENTS)),
        message_pages.of_job(worker, limit=MOST_MESSAGES),
    )
