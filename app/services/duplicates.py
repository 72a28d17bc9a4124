"""Jobs whose result would be the same: one leads and does the work, the others follow and end with it."""

import hashlib
import json
from typing import Any

import peewee as pw

from app.models import sql
from app.models.jobs import ACTIVE, Job, JobStage, family
from app.models.messages import Outbox
from app.services import events, starts


def digest(parts: list[Any]) -> str:
    """The same 64 characters for the same parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def key(url: str, mode: str, language: str | None, options: dict[str, Any]) -> str:
    """The same for jobs whose result would be the same, whoever owns them."""
    return digest([url, mode, language, options])


def holder(dedup_key: str) -> Job | None:
    """The job that holds the key, which stays as it is until the transaction ends; None: nobody does."""
    if not sql.find("SELECT 1 FROM job WHERE dedup_key = ?", dedup_key):
        return None
    Job.update(event_seq=Job.event_seq).where(Job.dedup_key == dedup_key).execute()  # locks the row
    job: Job | None = Job.get_or_none(dedup_key=dedup_key)
    return job


def take_key(job: Job) -> None:
    """Have the job hold its key (again), unless another job does."""
    own = key(job.url, job.mode, job.language, job.options)
    try:
        Job.update(dedup_key=own).where(Job.id == job.id).execute()
    except pw.IntegrityError:
        return


def release_key(job: Job) -> None:
    """Have the job go on without its key, so that another one may do the same."""
    Job.update(dedup_key=None).where(Job.id == job.id).execute()


def of_owner(leader: Job, owner: str) -> Job | None:
    """The owner's own job that has, or will have, the leader's result."""
    if leader.owner == owner:
        return leader
    kept = Job.state.in_((*ACTIVE, "completed"))
    mine = Job.select().where((Job.follows == leader.id) & (Job.owner == owner) & kept)
    job: Job | None = mine.order_by(Job.id.desc()).first()
    return job


def raise_priority(job: Job, priority: int) -> None:
    """Let the job, and what waits to be published for it, go at least this high."""
    if priority > job.priority and job.state in ACTIVE:
        Job.update(priority=priority).where(Job.id == job.id).execute()
        Outbox.update(priority=priority).where(Outbox.subject == job.id).execute()


def followers(job_id: str) -> list[Job]:
    """The jobs that end with this one, oldest first."""
    if not sql.find("SELECT id FROM job WHERE follows_id = ? LIMIT 1", job_id):
        return []
    return list(Job.select().where(family(job_id) & (Job.id != job_id)).order_by(Job.id))


def take_over(job_id: str) -> None:
    """Have the oldest follower of a job that ended without a result begin in its place, before the others."""
    for heir in followers(job_id):
        state = "scheduled" if starts.is_early(heir) else "pending"
        anew = {"state": state, "progress": 0.0, "started_at": None}
        still = (Job.id == heir.id) & (Job.follows == job_id) & Job.state.in_(ACTIVE)
        if Job.update(anew | {"follows": None, "leads": True}).where(still).execute():
            Job.update(anew | {"follows": heir.id}).where(family(job_id) & (Job.id != job_id)).execute()
            take_key(heir)
            starts.lay_out(heir)
            starts.queue(heir, starts.first_stage(heir))
            events.add(heir.id, state)
            return


def copy_stages(job_id: str) -> None:
    """Give a follower that ends the stages of the job that it followed, as they stand."""
    ((leader,),) = sql.find("SELECT follows_id FROM job WHERE id = ?", job_id)
    if leader is None:
        return
    for stage in JobStage.select().where(JobStage.job == leader):
        JobStage.create(
            job=job_id,
            name=stage.name,
            position=stage.position,
            state=stage.state,
            attempt=stage.attempt,
            progress=stage.progress,
            started_at=stage.started_at,
            finished_at=stage.finished_at,
            error_code=stage.error_code,
            error_text=stage.error_text,
        )
