"""When a job will be done, judged by this installation's own past and by the job's own speed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from app import clock
from app.models.jobs import ACTIVE, DONE, Chunk, Job, JobStage
from app.services.pace import pace, waits_s
from app.stages import FAN_OUT, NAMES


@dataclass(frozen=True)
class Recognition:
    """Since when a job is being recognised, and by what."""

    started_at: datetime | None = None
    recogniser: str | None = None


def completions(jobs: Sequence[Job], stages: Mapping[str, Sequence[JobStage]]) -> dict[str, datetime]:
    """When each of these jobs will be done, by its stages; those of which nobody can say it are left out."""
    known = [job for job in jobs if job.state in ACTIVE and job.duration_s]
    begun = _recognitions([job.id for job in known])
    found = {job.id: _completion(job, stages[job.id], begun.get(job.id, Recognition())) for job in known}
    return {job_id: moment for job_id, moment in found.items() if moment is not None}


def _recognitions(job_ids: Sequence[str]) -> dict[str, Recognition]:
    query = Chunk.select(Chunk.job, pw.fn.MIN(Chunk.started_at), pw.fn.MAX(Chunk.recogniser))
    rows: Any = query.where(Chunk.job.in_(job_ids)).group_by(Chunk.job).tuples() if job_ids else []
    return {job: Recognition(Chunk.started_at.python_value(begun), name) for job, begun, name in rows}


def _completion(job: Job, stages: Sequence[JobStage], recognition: Recognition) -> datetime | None:
    before_s, after_s, wait_s, begins = 0.0, 0.0, 0.0, clock.now()
    if is_early := job.state == "scheduled" and job.run_at is not None and job.run_at > begins:
        begins = job.run_at  # and who will be before it then, nobody knows
    for stage in stages:
        left_s = _left_s(job, stage, recognition)
        if left_s is None:
            return None
        if stage.position < NAMES.index(FAN_OUT):
            before_s += left_s
        else:
            after_s += left_s
        if stage.name == FAN_OUT and not (stage.state in DONE or recognition.started_at or is_early):
            wait_s = waits_s().get(job.id, -1.0)
    if wait_s < 0:
        return None
    # The recognisers work for others while this job is not ready for them.
    return begins + timedelta(seconds=max(before_s, wait_s) + after_s)


def _left_s(job: Job, stage: JobStage, recognition: Recognition) -> float | None:
    """Seconds of work that the stage has left, and of the wait for its next attempt."""
    if stage.state in DONE:
        return 0.0
    learned_s = pace().work_s(stage.name, job.duration_s or 0.0, recognition.recogniser)
    now = clock.now()
    if stage.next_retry_at and learned_s is not None:
        wait_s: float = (stage.next_retry_at - now).total_seconds()
        return max(0.0, wait_s) + learned_s
    begun = recognition.started_at if stage.name == FAN_OUT else stage.started_at
    if stage.state != "running" or begun is None:
        return learned_s
    return _left_at_work_s((now - begun).total_seconds(), stage, learned_s)


def _left_at_work_s(spent_s: float, stage: JobStage, learned_s: float | None) -> float | None:
    """What the stage's own speed says counts for as much as it has done, what was learned for the rest."""
    done, is_first = float(stage.progress), stage.attempt == 1
    if done and is_first:  # what a later attempt has spent holds the earlier ones and their waits
        own_s = spent_s / done
        return (1 - done) * (own_s if learned_s is None else done * own_s + (1 - done) * learned_s)
    if learned_s is None:
        return None
    return max(0.0, learned_s - spent_s) if is_first else (1 - done) * learned_s
