"""Puts a video's passages into the index, which can be built anew from the database at any time."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.engines.index import IndexedSegment, search_index
from app.models.jobs import Job
from app.models.videos import Video
from app.services import transcripts


def add(job_id: str) -> None:
    """Replace what the index holds of a video by the segments that the job stored."""
    job = Job.get_by_id(job_id)
    _replace(job.video_id or "", job.revision)


def _replace(video_id: str, revision: str) -> None:
    segments, index = transcripts.searchable(revision), search_index()
    if not segments:
        index.delete_video(video_id)
        return
    texts = transcripts.indexed_texts(segments)
    vectors = np.stack([_passage_vector(s.vectors or b"", len(s.sentences)) for s in segments])
    index.ensure(vectors.shape[1], segments[0].embedder or "")
    entries = [IndexedSegment(s.id, text) for s, text in zip(segments, texts, strict=True)]
    index.upsert_video(video_id, revision, entries, vectors)


def _passage_vector(packed: bytes, sentences: int) -> NDArray[np.float32]:
    passage: NDArray[np.float32] = (
        np.frombuffer(packed, np.float16).reshape(1 + sentences, -1)[0].astype(np.float32)
    )
    return passage


def to_rebuild() -> int:
    """How many videos rebuild() will index."""
    return Video.select().where(Video.revision.is_null(is_null=False)).count()


def rebuild(on_video: Callable[[], None] = lambda: None) -> int:
    """Empty the index and fill it from the database; return the number of videos. No embedding is done."""
    search_index().clear()
    ready = [video.id for video in Video.select(Video.id).where(Video.revision.is_null(is_null=False))]
    for video_id in ready:
        revision = Video.select(Video.revision).where(Video.id == video_id).scalar()
        _replace(video_id, revision or "")
        on_video()
    return len(ready)
