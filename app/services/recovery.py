"""Brings work back whose worker died or whose message got lost."""

import logging

from app import clock
from app.errors import WorkerLost
from app.models.base import transactional
from app.models.jobs import ACTIVE, OPEN, Chunk, Claimable, Job, JobStage
from app.services import jobs
from app.services.claims import attempts_allowed
from app.stages import CHUNK_ACTOR

log = logging.getLogger(__name__)


def recover(*, everything: bool = False) -> int:
    """Put back the work of workers that fell silent and return how many pieces there were.

    everything: also leases that still run, for a start at which no other worker can be alive.
    """
    recovered = 0
    for rows in (JobStage, Chunk):
        silent = rows.lease_until.is_null(is_null=False) if everything else (rows.lease_until < clock.now())
        for row in rows.select().where((rows.state == "running") & silent):
            recovered += _recover(rows, row)
    return recovered


@transactional
def _recover(rows: type[Claimable], row: JobStage | Chunk) -> bool:
    stage, position = (row.name, None) if isinstance(row, JobStage) else (CHUNK_ACTOR, row.position)
    still = (rows.id == row.id) & (rows.fence == row.fence) & (rows.state == "running")
    still &= rows.lease_until == row.lease_until
    if not rows.update(state="pending", lease_until=None).where(still).execute():
        return False
    log.warning("worker lost", extra={"job_id": row.job_id, "stage": stage, "attempt": row.attempt})
    if row.attempt >= attempts_allowed():
        times = "once" if row.attempt == 1 else f"{row.attempt} times"
        lost = WorkerLost(f"The worker died or fell silent in {stage}; the work was tried {times}.")
        jobs.fail(row.job_id, stage, lost)
    else:
        jobs.ring(row.job_id, stage, position)
    return True


@transactional
def ring_all() -> int:
    """Have every open step of every job published that may start; for a broker that has forgotten all.

    Returns how many jobs there were. Jobs that wait for their time have their row in the outbox.
    """
    active = list(Job.select(Job.id).where(Job.state.in_(ACTIVE) & (Job.state != "scheduled")))
    for job in active:
        _ring_open(job.id)
    return len(active)


def _ring_open(job_id: str) -> None:
    stages = JobStage.select().where((JobStage.job == job_id) & JobStage.state.in_(OPEN))
    stage = stages.order_by(JobStage.position).first()
    if stage is None:
        return
    if stage.state != "running":
        jobs.ring(job_id, stage.name)
    for chunk in Chunk.select().where((Chunk.job == job_id) & Chunk.state.in_(("pending", "retrying"))):
        jobs.ring(job_id, CHUNK_ACTOR, chunk.position)
