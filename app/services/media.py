"""A job's files: what was downloaded, and the sound that was taken from it."""

from app.engines.storage import storage
from app.models.base import transactional
from app.models.jobs import ACTIVE, Chunk, Job, family
from app.models.messages import Outbox
from app.models.videos import Video
from app.services import claims, outbox, videos
from app.values import Media


def job(job_id: str) -> Job:
    """The job's row, for the stages that work on it."""
    return Job.get_by_id(job_id)


def new_key(job_id: str, name: str) -> str:
    """A storage key for a result of the present claim, so that no other claim's file is overwritten."""
    return f"jobs/{job_id}/{claims.current().fence}-{name}"


@claims.stores_result
def store_media(job_id: str, media: Media, media_key: str) -> None:
    """Store what was downloaded for a job and what its source says about it."""
    describe(job_id, media)
    Job.update(media_key=media_key).where(Job.id == job_id).execute()


def describe(job_id: str, media: Media) -> None:
    """Store what a source says about a job's video; call it inside a transaction."""
    video = videos.attach(job_id, media)
    told = {"duration_s": media.duration_s, "name": f"Process video: {video.title}"}
    Job.update(told).where(family(job_id)).execute()


@claims.stores_result
def store_audio(job_id: str, audio_key: str, duration_s: float) -> None:
    """Store where the job's 16 kHz sound lies, and its length as the video's, which sources round."""
    Job.update(audio_key=audio_key, duration_s=duration_s).where(Job.id == job_id).execute()
    Video.update(duration_s=duration_s).where(Video.id == Job.get_by_id(job_id).video_id).execute()


def chunk(job_id: str, position: int) -> Chunk:
    """A slice of the job's sound."""
    return Chunk.get(job=job_id, position=position)


def clean_up(job_id: str) -> None:
    """Delete all files of a job that has ended; one that has begun again keeps them.

    They are listed before the look at the job: what it stores once it has begun again is not among them.
    """
    row = Outbox.get_or_none(actor="clean_up", subject=job_id)
    files, folder = storage(), f"jobs/{job_id}"
    found = files.list(folder)
    if _let_go(job_id):
        for name in found:
            files.delete(f"{folder}/{name}")
        files.prune(folder)
        files.forget_workspaces(job_id)
    if row:
        outbox.forget(row.message_id)  # no other: the job's next end asks anew


@transactional
def _let_go(job_id: str) -> bool:
    """Note that the job has no files any more; False while it is at work."""
    ended = (Job.id == job_id) & Job.state.not_in(ACTIVE)
    Job.update(media_key=None, audio_key=None).where(ended).execute()
    return not Job.select().where((Job.id == job_id) & Job.state.in_(ACTIVE)).exists()
