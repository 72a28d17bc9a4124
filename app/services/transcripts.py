"""What was said: words of chunks, passages of videos."""

import json
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ulid import ULID

from app.engines.index import passage_text
from app.engines.seams import joined
from app.models.jobs import ACTIVE, Chunk, Job
from app.models.videos import Segment, Video
from app.services import chunks, claims, videos
from app.values import Passage, Recognition, Word

NO_SPEECH = "no_speech: nothing was recognised as speech, so the transcript is empty."


@claims.hands_over
def plan_chunks(job_id: str, slices: Sequence[tuple[float, float]], audio_hash: str = "") -> None:
    """Store the slices (start and end, seconds) to recognise and have the first of them published."""
    chunks.lay_out(job_id, slices, audio_hash)
    chunks.pass_on(job_id)


@claims.stores_result
def store_words(job_id: str, position: int, recognition: Recognition, recogniser: str) -> None:
    """Store a chunk's words; whoever stores the last chunk's sets the next stage going."""
    words = {"words": pack(recognition.words), "language": recognition.language, "recogniser": recogniser}
    Chunk.update(words).where((Chunk.job == job_id) & (Chunk.position == position)).execute()
    chunks.pass_on(job_id)


def pack(words: Sequence[Word]) -> bytes:
    """Words as compressed JSON rows: text, start and end in milliseconds, per cent of probability, doubt."""
    rows = [
        [w.text, round(w.start_s * 1000), round(w.end_s * 1000), round(w.probability * 100), w.doubt]
        for w in words
    ]
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode())


def unpack(packed: bytes) -> list[Word]:
    """The words that pack() stored."""
    rows = json.loads(zlib.decompress(packed))
    return [
        Word(text, start / 1000, end / 1000, percent / 100, *doubt)
        for text, start, end, percent, *doubt in rows
    ]


def words_of(job_id: str) -> list[Word]:
    """All words of a job in their order; times count from the video's start."""
    rows = Chunk.select().where(Chunk.job == job_id).order_by(Chunk.position)
    return joined((row.start_s, row.end_s, unpack(row.words)) for row in rows if row.words)


@claims.stores_result
def replace_segments(job_id: str, passages: Sequence[Passage]) -> None:
    """Store the job's passages in the place of its earlier draft; none is a warning.

    What searches show stays as it is until publish(): beside it, the job writes a revision of its own.
    """
    job = Job.get_by_id(job_id)
    shown = Video.select().where(Video.revision == job.revision).exists()
    revision = str(ULID()) if shown else job.revision
    Segment.delete().where(Segment.revision == revision).execute()
    for position, passage in enumerate(passages):
        Segment.create(
            id=f"{revision}-{position:05d}",
            video=job.video_id,
            revision=revision,
            position=position,
            start_s=passage.start_s,
            end_s=passage.end_s,
            text=passage.text,
            sentences=[[s.text, s.start_s, s.end_s] for s in passage.sentences],
            doubt=passage.doubt or None,
            force_insert=True,
        )
    warning = None if any(not passage.doubt for passage in passages) else NO_SPEECH
    Job.update(revision=revision, warning=warning).where(Job.id == job_id).execute()


def written_by(job_id: str) -> list[Segment]:
    """The passages that the job stored last and that are to be found, in their order."""
    return searchable(Job.get_by_id(job_id).revision)


def segments_of(revision: str) -> list[Segment]:
    """The passages of a revision, in their order."""
    query = Segment.select(Segment, Video).join(Video).where(Segment.revision == revision)
    return list(query.order_by(Segment.position))


def searchable(revision: str) -> list[Segment]:
    """Those of a revision's passages that nothing speaks against, in their order."""
    return [segment for segment in segments_of(revision) if not segment.doubt]


def indexed_texts(segments: Sequence[Segment]) -> list[str]:
    """Each segment's text as it is embedded and indexed: with the title and the sentence before it."""
    before = ["", *(segment.sentences[-1][0] for segment in segments)]
    return [passage_text(s.video.title, last, s.text) for last, s in zip(before, segments, strict=False)]


@claims.stores_result
def store_vectors(segments: Sequence[Segment], vectors: Sequence[NDArray[np.float32]], embedder: str) -> None:
    """Store each segment's vectors: an array (1 + sentences, dimension), the passage's own first."""
    for segment, rows in zip(segments, vectors, strict=True):
        packed = {"vectors": rows.astype(np.float16).tobytes(), "embedder": embedder}
        Segment.update(packed).where(Segment.id == segment.id).execute()


@claims.stores_result
def publish(job_id: str) -> None:
    """Make the job's passages the video's transcript and let the job's owner see it.

    Earlier passages go, but for the drafts of other jobs that are at work on the video.
    """
    job = Job.get_by_id(job_id)
    rows = list(Chunk.select().where(Chunk.job == job_id).order_by(Chunk.position))
    language = next((row.language for row in rows if row.language), job.language)
    transcript = {"revision": job.revision, "transcript_source": rows[0].recogniser, "language": language}
    Video.update(transcript).where(Video.id == job.video_id).execute()
    here, at_work = Job.video == job.video_id, Job.state.in_(ACTIVE)
    kept = [writer.revision for writer in Job.select(Job.revision).where(here & at_work)]
    old = (Segment.video == job.video_id) & Segment.revision.not_in([*kept, job.revision])
    Segment.delete().where(old).execute()
    videos.give_access(job.video_id or "", job.owner)
