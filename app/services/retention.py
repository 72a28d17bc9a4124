"""Deletes what has had its time: old jobs with all that was noted of them, and files that nobody owns."""

import logging
from collections.abc import Callable
from datetime import timedelta

from ulid import ULID

from app import clock, config
from app.engines.storage import storage
from app.models.base import transactional
from app.models.batches import Batch, BatchEntry
from app.models.jobs import ACTIVE, Job
from app.models.messages import Message, MessageEvent, Outbox
from app.models.schedules import ScheduleRun
from app.models.videos import Segment, Video, VideoAccess
from app.services import deliveries, media, workers

log = logging.getLogger(__name__)

BATCH = 200
ORPHAN_AFTER = timedelta(days=1)


def keep_house() -> dict[str, int]:
    """Do all of it and return how many things of each kind went. Transcripts go only by being deleted."""
    gone = {
        "jobs": _in_batches(_old_jobs),
        "batches": _in_batches(_old_batches),
        "videos": _in_batches(_unseen_videos),
        "files": _orphaned_files(),
        "workspaces": storage().clear_old_workspaces(ORPHAN_AFTER.total_seconds()),
        "schedule_runs": _in_batches(_old_schedule_runs),
        "deliveries": _in_batches(_old_deliveries),
        "stranded_webhooks": deliveries.ring_stranded(),
        "workers": workers.forget_stale(),
    }
    log.info("kept house", extra=gone)
    return gone


def _in_batches(delete: Callable[[], int]) -> int:
    total = 0
    while count := delete():
        total += count
    return total


@transactional
def _old_jobs() -> int:
    """Delete a batch of jobs that ended before the retention time, with their events, stages and messages."""
    before = clock.now() - timedelta(days=config.current().retention_days)
    old = (Job.finished_at < before) & Job.state.not_in(ACTIVE)
    ids = [job.id for job in Job.select(Job.id).where(old).limit(BATCH)]
    sent = [message.id for message in Message.select(Message.id).where(Message.subject.in_(ids))]
    MessageEvent.delete().where(MessageEvent.message.in_(sent)).execute()
    Message.delete().where(Message.id.in_(sent)).execute()
    Outbox.delete().where(Outbox.subject.in_(ids)).execute()
    return int(Job.delete().where(Job.id.in_(ids)).execute())


@transactional
def _old_batches() -> int:
    """Delete a batch of batches that were listed before the retention time and have no job any more."""
    before = clock.now() - timedelta(days=config.current().retention_days)
    with_jobs = BatchEntry.select(BatchEntry.batch).where(BatchEntry.job.is_null(is_null=False))
    old = (Batch.finished_at < before) & Batch.state.in_(("completed", "failed"))
    ids = [row.id for row in Batch.select(Batch.id).where(old & Batch.id.not_in(with_jobs)).limit(BATCH)]
    sent = [message.id for message in Message.select(Message.id).where(Message.subject.in_(ids))]
    MessageEvent.delete().where(MessageEvent.message.in_(sent)).execute()
    Message.delete().where(Message.id.in_(sent)).execute()
    return int(Batch.delete().where(Batch.id.in_(ids)).execute())


@transactional
def _unseen_videos() -> int:
    """Delete a batch of videos that nobody sees and no job is about: those whose jobs failed long ago."""
    seen = VideoAccess.select(VideoAccess.video)
    worked_on = Job.select(Job.video).where(Job.video.is_null(is_null=False))
    old = Video.created_at < clock.now() - ORPHAN_AFTER
    lonely = old & Video.id.not_in(seen) & Video.id.not_in(worked_on)
    ids = [video.id for video in Video.select(Video.id).where(lonely).limit(BATCH)]
    Segment.delete().where(Segment.video.in_(ids)).execute()
    return int(Video.delete().where(Video.id.in_(ids)).execute())


@transactional
def _old_schedule_runs() -> int:
    """Delete a batch of what schedules did before the retention time."""
    before = clock.now() - timedelta(days=config.current().retention_days)
    old = ScheduleRun.select(ScheduleRun.id).where(ScheduleRun.fire_time < before).limit(BATCH)
    return int(ScheduleRun.delete().where(ScheduleRun.id.in_([run.id for run in old])).execute())


@transactional
def _old_deliveries() -> int:
    """Delete a batch of what webhooks were told before the retention time."""
    return deliveries.forget_old(clock.now() - timedelta(days=config.current().retention_days))


def _orphaned_files() -> int:
    """Delete the folders of jobs that have ended or are no more."""
    files = storage()
    found = files.list("jobs")
    active = {job.id for job in Job.select(Job.id).where(Job.id.in_(found) & Job.state.in_(ACTIVE))}
    # A folder may be there before its job's row is: an upload. Ids begin with their time.
    for job_id in (orphans := [name for name in found if name not in active and _is_old(name)]):
        media.clean_up(job_id)
    return len(orphans)


def _is_old(job_id: str) -> bool:
    try:
        return ULID.from_str(job_id).datetime < clock.now() - ORPHAN_AFTER
    except ValueError:
        return False
