"""Videos for searches: stored and indexed without a job."""

import numpy as np

from app import clock
from app.engines.embedder import embedder
from app.engines.index import IndexedSegment, passage_text, search_index
from app.models.videos import Segment, Video, VideoAccess


def ingest(
    video_id: str,
    title: str,
    *passages: tuple[str, ...],
    owner: str = "alice",
    revision: str = "r1",
    **described: object,
) -> None:
    """Store and index a video whose every sentence takes ten seconds."""
    described |= {"extractor": "youtube", "external_id": video_id, "created_at": clock.now()}
    url = f"https://www.youtube.com/watch?v={video_id:_<11}"
    Video.insert(
        id=video_id, title=title, webpage_url=url, revision=revision, duration_s=90.0, **described
    ).on_conflict_ignore().execute()
    VideoAccess.insert(video=video_id, owner=owner, created_at=clock.now()).on_conflict_ignore().execute()
    segments = [store(video_id, revision, position, passages[position]) for position in range(len(passages))]
    before = ["", *(sentences[-1] for sentences in passages)]
    indexed = [
        IndexedSegment(segment.id, passage_text(title, last, segment.text))
        for last, segment in zip(before, segments, strict=False)
    ]
    vectors = embedder().embed([segment.text for segment in indexed])
    search_index().ensure(embedder().dimension, embedder().name)
    search_index().upsert_video(video_id, revision, indexed, vectors)


def store(video_id: str, revision: str, position: int, sentences: tuple[str, ...]) -> Segment:
    start_s = 30.0 * position
    text = " ".join(sentences)
    return Segment.create(
        id=f"{video_id}-{revision}-{position:03d}",
        video=video_id,
        revision=revision,
        position=position,
        start_s=start_s,
        end_s=start_s + 10.0 * len(sentences),
        text=text,
        sentences=[[s, start_s + 10.0 * i, start_s + 10.0 * (i + 1)] for i, s in enumerate(sentences)],
        vectors=embedder().embed([text, *sentences]).astype(np.float16).tobytes(),
        embedder=embedder().name,
        force_insert=True,
    )
