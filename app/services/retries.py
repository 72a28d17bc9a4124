"""Has a job that has ended done again, from the stage at which it failed or from any other."""

from dataclasses import dataclass
from uuid import uuid4

from app.errors import Conflict, UploadGone
from app.models.base import transactional
from app.models.jobs import ACTIVE, Chunk, Job, JobStage
from app.models.videos import Segment
from app.services import captions, chunks, duplicates, events, jobs, outbox, settling, starts
from app.stages import FAN_OUT, NAMES, overall_progress

ANEW = {
    "state": "pending",
    "attempt": 0,
    "progress": 0.0,
    "lease_until": None,
    "worker": None,
    "next_retry_at": None,
    "started_at": None,
    "finished_at": None,
    "error_code": None,
    "error_text": None,
}
"""A stage as if it had never run, but for its fence."""


@dataclass(frozen=True)
class Retrial:
    """The job that is at work again, the stage that it begins with, and the one that was wanted."""

    job: Job
    from_stage: str
    wanted: str


@transactional
def retry(job_id: str, owner: str | None, from_stage: str | None = None) -> Retrial:
    """Have a job that has ended done again from the stage: by default the one that failed, else the first.

    It begins earlier where what the stage works on is gone. Conflict while the job is at work, UploadGone
    where only the uploaded file would do.
    """
    job = _reopened(job_id, owner)
    rows = list(JobStage.select().where(JobStage.job == job_id).order_by(JobStage.position))
    failed = next((row.name for row in rows if row.state == "failed"), NAMES[0])
    wanted = from_stage or failed
    first = _first_that_can(job, rows, wanted)
    _clear_from(job, first)
    settling.settle_all(job_id, "requeued")
    outbox.drop_job(job_id)  # the row that would have its files deleted
    starts.queue(job, first)
    duplicates.take_key(job)
    events.add(job_id, "retried", from_stage=first)
    return Retrial(Job.get_by_id(job_id), first, wanted)


def _reopened(job_id: str, owner: str | None) -> Job:
    """The job, which is active and this transaction's own from here on."""
    jobs.get(job_id, owner)
    changes = {
        "state": "pending",
        "follows": None,
        "message_id": str(uuid4()),
        "run_at": None,
        "started_at": None,
        "finished_at": None,
        "error_code": None,
        "error_text": None,
        "acknowledged_at": None,
    }
    if not Job.update(changes).where((Job.id == job_id) & Job.state.not_in(ACTIVE)).execute():
        raise Conflict("The job is at work; wait for its end, or cancel it first.")
    job: Job = Job.get_by_id(job_id)
    return job


def _first_that_can(job: Job, rows: list[JobStage], wanted: str) -> str:
    """The wanted stage, or the last one before it whose predecessors are done and whose input is there."""
    own = _own_stages(job)
    undone = [row.name for row in rows if row.name in own and row.state != "completed"]
    latest = min(own.index(name) for name in (wanted if wanted in own else own[0], *undone))
    for name in reversed(own[: latest + 1]):
        if _has_input(job, name):
            return name
    raise UploadGone("The uploaded file was deleted when the job ended, and nothing later will do.")


def _own_stages(job: Job) -> tuple[str, ...]:
    """The stages that the job has need of."""
    if job.url.startswith("upload:"):
        return NAMES[1:]
    skipped = captions.ANSWERED if captions.serve(job) else ()
    return tuple(name for name in NAMES if name not in skipped)


def _has_input(job: Job, stage: str) -> bool:
    """Whether there is what the stage works on; a stage not named here begins with the one before it."""
    if stage == NAMES[0]:
        return True
    if job.video_id is None:  # deleted, and known again only from what its source says
        return False
    rows = Chunk.select().where(Chunk.job == job.id)
    segments = Segment.select().where(Segment.revision == job.revision)
    found = {
        "extract_audio": job.media_key is not None,
        "transcribe": job.audio_key is not None,
        "segment": rows.exists() and not rows.where(Chunk.words.is_null()).exists(),
        "embed": segments.exists(),
        "index": segments.exists()
        and not segments.where(Segment.vectors.is_null() & Segment.doubt.is_null()).exists(),
    }
    return found.get(stage, False)


def _clear_from(job: Job, first: str) -> None:
    """Undo the stages from the first one on; their results are replaced when they run."""
    position = NAMES.index(first)
    later = (JobStage.job == job.id) & (JobStage.position >= position)
    JobStage.update(ANEW).where(later).execute()
    if position <= NAMES.index(FAN_OUT):
        chunks.set_aside(job.id)
    progress = overall_progress(dict.fromkeys(NAMES[:position], 1.0))
    Job.update(progress=progress).where(Job.id == job.id).execute()
