"""Brings work back whose worker died or whose message got lost."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import peewee as pw

from app import clock, config
from app.errors import WorkerLost
from app.models.base import after_commit, transactional
from app.models.jobs import ACTIVE, OPEN, Chunk, Claimable, Job, JobStage
from app.models.messages import Message
from app.services import jobs, limits, messages
from app.services.claims import attempts_allowed
from app.services.messages import MessageRef
from app.stages import CHUNK_ACTOR, NAMES
from monitoring import metrics

log = logging.getLogger(__name__)

LOST_AFTER_POLLS = 10
"""A message may wait this many of YTRAG_POLL_S before anything is made of its being late."""

BATCH = 100


def recover(*, everything: bool = False) -> int:
    """Put back the work of workers that fell silent and return how many pieces there were.

    everything: also leases that still run, and all slots, for a start at which no other worker can be alive.
    """
    recovered = 0
    if everything:
        limits.free_all()
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
    earlier = messages.interrupted(stage, row.job_id, position)
    if row.attempt >= attempts_allowed():
        times = "once" if row.attempt == 1 else f"{row.attempt} times"
        lost = WorkerLost(f"The worker died or fell silent in {stage}; the work was tried {times}.")
        if earlier:
            messages.record(MessageRef(earlier, stage, row.job_id, 0, position), "dead", error=lost.detail)
        jobs.fail(row.job_id, stage, lost)
        after_commit(metrics.dead_lettered_total.labels(stage).inc)
    else:
        jobs.ring(row.job_id, stage, position, message_id=earlier)
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
    waiting = (Chunk.job == job_id) & Chunk.state.in_(("pending", "retrying"))
    for chunk in Chunk.select().where(waiting & Chunk.released_at.is_null(is_null=False)):
        jobs.ring(job_id, CHUNK_ACTOR, chunk.position)


def ring_lost(waiting: Callable[[str], int]) -> int:
    """Publish again what the broker must have lost, and return how many messages there were.

    A message is lost if it was enqueued a while ago and its queue is empty now, or if one of its queue and
    priority that was enqueued later has started already. waiting tells how many messages a queue holds.
    """
    since = clock.now() - timedelta(seconds=LOST_AFTER_POLLS * config.current().poll_s)
    rung = 0
    for queue in (*NAMES, CHUNK_ACTOR):
        here = (Message.queue == queue) & (Message.state == "enqueued") & (Message.enqueued_at < since)
        priorities = [row.priority for row in Message.select(Message.priority).where(here).distinct()]
        empty = bool(priorities) and waiting(queue) == 0
        for priority in priorities:
            lost = here & (Message.priority == priority)
            if not empty:
                lost &= Message.enqueued_at < _newest_start(queue, priority)
            for message in Message.select().where(lost).order_by(Message.enqueued_at).limit(BATCH):
                rung += _ring_message(message)
    return rung


def _newest_start(queue: str, priority: int) -> datetime:
    """When the youngest message was enqueued that has started."""
    here = (Message.queue == queue) & (Message.priority == priority) & Message.state.in_(("running", "done"))
    newest: Message | None = Message.select().where(here).order_by(Message.enqueued_at.desc()).first()
    return newest.enqueued_at if newest and newest.enqueued_at else datetime.min.replace(tzinfo=UTC)


@transactional
def _ring_message(message: Message) -> bool:
    """Publish the message again if its work is still to be done, else note that it is over."""
    work = (Chunk.select() if message.actor == CHUNK_ACTOR else JobStage.select()).where(_work_of(message))
    row: JobStage | Chunk | None = work.first()
    ref = MessageRef(message.id, message.actor, message.subject, message.priority, message.position)
    messages.record(ref, "none" if row else "done")
    if row:
        log.warning("message lost", extra={"job_id": message.subject, "stage": message.actor})
        at = row.next_retry_at
        jobs.ring(message.subject, message.actor, message.position, message_id=message.id, available_at=at)
    return row is not None


def _work_of(message: Message) -> pw.Expression:
    """The row that the message is for, if it still waits to be worked on."""
    if message.actor == CHUNK_ACTOR:
        here: pw.Expression = (Chunk.job == message.subject) & (Chunk.position == message.position)
        return here & Chunk.state.in_(("pending", "retrying"))
    here = (JobStage.job == message.subject) & (JobStage.name == message.actor)
    return here & JobStage.state.in_(("pending", "retrying"))
