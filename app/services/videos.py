"""Videos: stored once, seen by those who asked for them."""

from typing import Any

from ulid import ULID

from app import clock
from app.engines.index import search_index
from app.errors import Conflict, NotFound
from app.models.base import transactional
from app.models.jobs import ACTIVE, Job, family
from app.models.videos import Segment, Video, VideoAccess
from app.services import outbox
from app.values import Media


@transactional
def attach(job_id: str, media: Media) -> Video:
    """Link the job to the one row of its video, which is made or brought up to date."""
    described: dict[str, Any] = {
        "title": media.title,
        "webpage_url": media.webpage_url,
        "channel": media.channel,
        "published_on": media.published_on,
        "thumbnail_url": media.thumbnail_url,
        "description": media.description,
        "tags": list(media.tags) or None,
        "chapters": [[one.title, one.start_s, one.end_s] for one in media.chapters] or None,
        "duration_s": media.duration_s,
    }
    same = {"extractor": media.extractor, "external_id": media.external_id}
    made = Video.insert(id=str(ULID()), created_at=clock.now(), language=media.language, **same, **described)
    made.on_conflict_ignore().execute()
    video = Video.get(**same)
    known = {name: value for name, value in described.items() if value is not None}
    Video.update(known).where(Video.id == video.id).execute()
    Job.update(video=video.id).where(family(job_id)).execute()
    return Video.get_by_id(video.id)


def give_access(video_id: str, owner: str) -> None:
    """Let the owner see the video; call it inside a transaction."""
    access = VideoAccess.insert(video=video_id, owner=owner, created_at=clock.now())
    access.on_conflict_ignore().execute()


def get(video_id: str, owner: str | None) -> Video:
    """The video; NotFound where the owner (None: an admin) may not see one of that id."""
    query = Video.select().where(Video.id == video_id)
    if owner is not None:
        query = query.join(VideoAccess).where(VideoAccess.owner == owner)
    video: Video | None = query.first()
    if video is None:
        raise NotFound(f"There is no video {video_id!r}.")
    return video


def page(owner: str | None, *, before: str | None, limit: int) -> list[Video]:
    """The owner's videos (None: all) that are ready, newest first, those before the id."""
    query = Video.select().where(Video.revision.is_null(is_null=False))
    if owner is not None:
        query = query.join(VideoAccess).where(VideoAccess.owner == owner)
    if before:
        query = query.where(Video.id < before)
    return list(query.order_by(Video.id.desc()).limit(limit))


@transactional
def delete(video_id: str, owner: str | None) -> None:
    """Take the owner's access away, and with the last one the video; Conflict while a job works on it."""
    get(video_id, owner)
    jobs = Job.video == video_id
    Job.update(event_seq=Job.event_seq).where(jobs).execute()  # locks them: nobody comes to follow one now
    at_work = jobs & Job.state.in_(ACTIVE)
    if Job.select().where(at_work if owner is None else at_work & (Job.owner == owner)).exists():
        raise Conflict("A job is at work on this video; cancel it first with DELETE /api/jobs/{id}.")
    accesses = VideoAccess.video == video_id
    mine = accesses if owner is None else accesses & (VideoAccess.owner == owner)
    VideoAccess.delete().where(mine).execute()
    if not VideoAccess.select().where(accesses).exists():
        Job.update(dedup_key=None).where(jobs & Job.state.not_in(ACTIVE)).execute()
        _drop(video_id, wanted=Job.select().where(at_work).exists())


def _drop(video_id: str, *, wanted: bool) -> None:
    """Forget what was said; the row stays while it is wanted by another owner's job that is at work."""
    shown = Video.select(Video.revision).where(Video.id == video_id).scalar()
    if wanted:
        Segment.delete().where((Segment.video == video_id) & (Segment.revision == shown)).execute()
        Video.update(revision=None).where(Video.id == video_id).execute()
        return
    Segment.delete().where(Segment.video == video_id).execute()
    Video.delete().where(Video.id == video_id).execute()
    outbox.add("forget_video", video_id, priority=0)


def forget(video_id: str) -> None:
    """Take a deleted video out of the index."""
    search_index().delete_video(video_id)
    outbox.settle("forget_video", video_id)
