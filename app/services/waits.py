"""Why a job waits, as a sentence for its owner."""

from collections.abc import Sequence

from app.models.jobs import Job, JobStage
from app.models.messages import Outbox
from app.services import space
from app.services.sources import DOWNLOADS, WAITS

RECOGNISERS = "recogniser:"


def resources(job_ids: Sequence[str]) -> dict[str, str]:
    """The resource that each of the jobs waits for; those that wait for none are left out."""
    waiting = Outbox.waits_for.is_null(is_null=False) & Outbox.subject.in_(list(job_ids))
    return {row.subject: str(row.waits_for) for row in Outbox.select().where(waiting)} if job_ids else {}


def sentence(job: Job, current: JobStage | None, resource: str | None) -> str | None:
    """What the job waits for and why; None where it waits for nothing that there is a word for."""
    because = (current.error_text if current and current.state == "pending" else None) or ""
    if job.state == "scheduled" and job.run_at:
        return f"Waits until {job.run_at:%Y-%m-%d %H:%M:%S} UTC. {because}".strip()
    if resource is None or job.state not in ("pending", "running"):
        return None
    kind, _, name = resource.partition(":")
    return {
        WAITS: f"Waits until {name} may be asked again. {because}".strip(),
        DOWNLOADS: f"Waits for its turn to download from {name}.",
        space.WAITS: f"Waits for space on the disk. {because}".strip(),
        RECOGNISERS: f"Waits for a free recogniser on {name}.",
    }.get(f"{kind}:")
