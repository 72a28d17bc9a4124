"""A job's life: accepted, started, and ended as completed, failed or cancelled."""

from datetime import datetime
from typing import Any

import peewee as pw

from app import clock
from app.errors import Conflict, NotFound, NotNow, StageError
from app.models import sql
from app.models.base import transactional
from app.models.jobs import ACTIVE, ACTIVE_JOBS, OPEN, Job, JobStage, family
from app.models.videos import Video
from app.services import duplicates, events, measures, outbox, videos
from app.stages import CHUNK_ACTOR, FAN_OUT, NAMES, overall_progress

HAS_FILES = "(media_key IS NOT NULL OR audio_key IS NOT NULL)"


def get(job_id: str, owner: str | None) -> Job:
    """The job, with its video; NotFound where the owner (None: an admin) has none of that id."""
    mine = (Job.id == job_id) if owner is None else (Job.id == job_id) & (Job.owner == owner)
    job: Job | None = Job.select(Job, Video).join(Video, pw.JOIN.LEFT_OUTER).where(mine).first()
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.")
    return job


def update_progress(job_id: str) -> None:
    """Compute the job's progress anew from its stages', and the fan-out's from its chunks'."""
    share = "SELECT SUM(progress * (end_s - start_s)) / SUM(end_s - start_s) FROM chunk WHERE job_id = ?"
    ((of_chunks,),) = sql.find(share, job_id)
    if of_chunks is not None:
        fan_out = "UPDATE job_stage SET progress = ? WHERE job_id = ? AND name = ? AND state = 'running'"
        sql.later(fan_out, of_chunks, job_id, FAN_OUT)
    stages = sql.find("SELECT name, state, progress FROM job_stage WHERE job_id = ?", job_id)
    done = {name: 1.0 if state == "skipped" else progress for name, state, progress in stages}
    progress = overall_progress(done)
    if sql.find(f"SELECT 1 FROM job WHERE id = ? AND progress < ? AND {ACTIVE_JOBS}", job_id, progress):
        events.tell(job_id, ("progress", {"overall_progress": progress}), progress=progress)


def await_retry(job_id: str, stage: str, attempt: int, error: StageError, at: datetime) -> None:
    """Mark the job as waiting for its next attempt; call it inside a claim's transaction."""
    if stage != CHUNK_ACTOR:
        Job.update(state="retrying").where(family(job_id) & (Job.state == "running")).execute()
    payload = {"attempt": attempt, "error_code": error.code, "next_retry_at": at.isoformat()}
    events.add(job_id, "stage", stage=stage, status="retrying", **payload)


def await_turn(job_id: str, stage: str, attempt: int, wait: NotNow) -> None:
    """Mark the job as waiting for a slot, or for its time; call it inside a claim's transaction."""
    is_early = wait.waits_for is None
    changes: dict[str, Any] = {"state": "scheduled", "run_at": wait.at} if is_early else {"state": "pending"}
    if stage == NAMES[0] and attempt == 1:
        changes["started_at"] = None  # it has done nothing yet
    if stage != CHUNK_ACTOR:
        Job.update(changes).where(family(job_id) & (Job.state == "running")).execute()
    about = {"attempt": attempt, "waits_for": wait.waits_for}
    if wait.because:
        about["error_code"], about["error_message"] = wait.because
    events.add(job_id, "stage", stage=stage, status="pending", **about)


def priority_of(job_id: str) -> int:
    """The job's priority as it is now: it may have been raised since a message of the job was made."""
    ((priority,),) = sql.find("SELECT priority FROM job WHERE id = ?", job_id)
    return int(priority)


def ring(
    job_id: str,
    actor: str,
    position: int | None = None,
    *,
    message_id: str | None = None,
    available_at: datetime | None = None,
) -> None:
    """Have the stage or chunk published (again); claims make a duplicate harmless."""
    outbox.add(
        actor,
        job_id,
        position=position,
        priority=priority_of(job_id),
        message_id=message_id,
        available_at=available_at,
    )


def complete(job_id: str) -> None:
    """End the job well, and those that follow it; call it inside the transaction of its last stage."""
    measures.job_completes(job_id)
    if _end(job_id, "completed", {"progress": 100.0}, _result(job_id)):
        for follower in duplicates.followers(job_id):
            share(job_id, follower)


def share(job_id: str, follower: Job) -> None:
    """End a job with the result of the one that it follows; its owner then sees the video."""
    leader = Job.get_by_id(job_id)
    videos.give_access(leader.video_id or "", follower.owner)
    given = {name: getattr(leader, name) for name in ("video_id", "duration_s", "warning", "progress")}
    _end(follower.id, "completed", given, _result(job_id))


def _result(job_id: str) -> dict[str, Any]:
    query = "SELECT v.id, v.title, j.started_at, j.finished_at FROM job j JOIN video v ON v.id = j.video_id"
    ((video_id, title, started_at, finished_at),) = sql.find(f"{query} WHERE j.id = ?", job_id)
    ended = sql.moment(finished_at) or clock.now()
    took_s = (ended - (sql.moment(started_at) or ended)).total_seconds()
    return {"video_id": video_id, "video_title": title, "processing_time_s": round(took_s, 3)}


def fail(job_id: str, stage: str, error: StageError) -> None:
    """End the job with the error of the stage; call it inside a transaction.

    What cannot pass ends those that follow it too; else the oldest of them begins in its place.
    """
    name = FAN_OUT if stage == CHUNK_ACTOR else stage
    at_fault = (JobStage.job == job_id) & (JobStage.name == name) & JobStage.state.in_(OPEN)
    about = {"error_code": error.code, "error_text": error.detail}
    failed = {**about, "state": "failed", "lease_until": None, "finished_at": clock.now()}
    JobStage.update(failed).where(at_fault).execute()
    payload = {"error_code": error.code, "error_message": error.detail, "can_retry": error.retryable}
    if not _end(job_id, "failed", {**about, "dedup_key": None}, payload):
        return
    if error.retryable:
        duplicates.take_over(job_id)
    for follower in duplicates.followers(job_id):
        _end(follower.id, "failed", about, payload)


@transactional
def acknowledge(job_id: str, owner: str | None) -> None:
    """Take note of the job's failure, so that it alarms nobody any more; Conflict where it has not failed."""
    state = get(job_id, owner).state
    failed = (Job.id == job_id) & (Job.state == "failed")
    if not Job.update(acknowledged_at=clock.now()).where(failed).execute():
        raise Conflict(f"The job is {state}; only a failure can be acknowledged.")


@transactional
def cancel(job_id: str, owner: str | None) -> None:
    """End the job now; a second time is as good as the first; Conflict when it has ended otherwise."""
    get(job_id, owner)
    if _end(job_id, "cancelled", {"dedup_key": None}, {}):
        duplicates.take_over(job_id)
        return
    state = Job.select(Job.state).where(Job.id == job_id).scalar()
    if state != "cancelled":
        raise Conflict(f"The job has ended as {state} and cannot be cancelled.")


def _end(job_id: str, state: str, changes: dict[str, Any], payload: dict[str, Any]) -> bool:
    if not events.end(job_id, state, payload, **changes, state=state, finished_at=clock.now()):
        return False
    duplicates.copy_stages(job_id)
    for table in ("job_stage", "chunk"):
        change = f"UPDATE {table} SET state = 'skipped', lease_until = NULL, next_retry_at = NULL"
        sql.later(f"{change} WHERE job_id = ? AND state IN {OPEN}", job_id)
    outbox.drop_job(job_id)
    measures.job_ends(job_id, state)
    if state != "completed" or sql.find(f"SELECT 1 FROM job WHERE id = ? AND {HAS_FILES}", job_id):
        outbox.add("clean_up", job_id, priority=0)
    return True


@transactional
def clean_up(job_id: str) -> None:
    """Have the files of a job deleted if it has ended."""
    if Job.select().where((Job.id == job_id) & Job.state.not_in(ACTIVE)).exists():
        outbox.add("clean_up", job_id, priority=0)
