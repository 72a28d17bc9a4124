"""Deletes what is no longer wanted. Each actor's outbox row stays until its work is done."""

import dramatiq

from actors.broker import broker
from app.services import media, outbox, retention, videos


@dramatiq.actor(queue_name="housekeeping", broker=broker)
def clean_up(job_id: str) -> None:
    """Delete the files of a job that has ended."""
    media.clean_up(job_id)


@dramatiq.actor(queue_name="housekeeping", broker=broker)
def keep_house(subject: str) -> None:
    """Delete what has had its time."""
    retention.keep_house()
    outbox.settle("keep_house", subject)


@dramatiq.actor(queue_name="housekeeping", broker=broker)
def forget_video(video_id: str) -> None:
    """Take a deleted video out of the index."""
    videos.forget(video_id)
