"""Sets a job going: its stages, and the message that starts one of them."""

from app import clock
from app.models import sql
from app.models.jobs import Job
from app.services import messages, outbox
from app.services.messages import MessageRef
from app.stages import NAMES, STAGES


def lay_out(job: Job) -> None:
    """Store the job's stages; what was uploaded needs no download."""
    first = "skipped" if job.media_key else "pending"
    states = [first, *["pending"] * (len(NAMES) - 1)]
    rows = [
        (job.id, name, position, state, 0, 0, 0.0)
        for position, (name, state) in enumerate(zip(NAMES, states, strict=True))
    ]
    sql.insert("job_stage", COLUMNS, *rows)


COLUMNS = ("job_id", "name", "position", "state", "attempt", "fence", "progress")


def first_stage(job: Job) -> str:
    """The stage that a new job begins with."""
    return next(stage.name for stage in STAGES if not (job.media_key and stage.name == "download"))


def is_early(job: Job) -> bool:
    """Whether the job's time has yet to come."""
    return job.run_at is not None and job.run_at > clock.now()


def queue(job: Job, stage: str) -> None:
    """Have the stage published, at the job's time, as the message that the job's row names."""
    outbox.add(stage, job.id, priority=job.priority, available_at=job.run_at, message_id=job.message_id)
    if is_early(job):
        messages.record(MessageRef(job.message_id, stage, job.id, job.priority), "delayed")
