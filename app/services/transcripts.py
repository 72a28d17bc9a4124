"""What was said: words of chunks, passages of videos."""

import json
import secrets
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ulid import ULID

from app import clock
from app.engines.index import passage_text
from app.models.jobs import ACTIVE, OPEN, Chunk, Job, JobStage
from app.models.videos import Segment, Video
from app.services import claims, events, jobs, videos
from app.stages import CHUNK_ACTOR, FAN_OUT, STAGES
from app.values import Passage, Recognition, Word

FENCES = 2**30
"""Where the count of a chunk's claims may begin; the column holds twice as many."""

NO_SPEECH = "no_speech: nothing was recognised as speech, so the transcript is empty."


@claims.hands_over
def plan_chunks(job_id: str, cuts: Sequence[tuple[float, float]]) -> None:
    """Store the slices (start and end, seconds) to recognise and have each published.

    Their fences begin anywhere: SQLite gives ids anew, and a worker of a chunk that is gone may live.
    """
    fence = secrets.randbelow(FENCES)
    for position, (start_s, end_s) in enumerate(cuts):
        slice_ = {"position": position, "start_s": start_s, "end_s": end_s, "fence": fence}
        Chunk.create(job=job_id, state="pending", **slice_)
        jobs.ring(job_id, CHUNK_ACTOR, position)
    _end_fan_out(job_id)


@claims.stores_result
def store_words(job_id: str, position: int, recognition: Recognition, recogniser: str) -> None:
    """Store a chunk's words; whoever stores the last chunk's sets the next stage going."""
    words = {"words": pack(recognition.words), "language": recognition.language, "recogniser": recogniser}
    Chunk.update(words).where((Chunk.job == job_id) & (Chunk.position == position)).execute()
    jobs.update_progress(job_id)
    _end_fan_out(job_id)


def _end_fan_out(job_id: str) -> None:
    """Set the next stage going if no chunk is open, which is so at once where there is no sound to cut."""
    fan_out = (JobStage.job == job_id) & (JobStage.name == FAN_OUT) & (JobStage.state == "running")
    open_chunks = Chunk.select(Chunk.id).where((Chunk.job == job_id) & Chunk.state.in_(OPEN))
    done = {"state": "completed", "progress": 1.0, "finished_at": clock.now()}
    if not open_chunks.exists() and JobStage.update(done).where(fan_out).execute():
        events.add(job_id, "stage", stage=FAN_OUT, status="completed")
        jobs.update_progress(job_id)
        follower = STAGES[[stage.name for stage in STAGES].index(FAN_OUT) + 1]
        jobs.ring(job_id, follower.name)


def pack(words: Sequence[Word]) -> bytes:
    """Words as compressed JSON rows: text, start and end in milliseconds, probability in per cent."""
    rows = [
        [w.text, round(w.start_s * 1000), round(w.end_s * 1000), round(w.probability * 100)] for w in words
    ]
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode())


def unpack(packed: bytes) -> list[Word]:
    """The words that pack() stored."""
    rows = json.loads(zlib.decompress(packed))
    return [Word(text, start / 1000, end / 1000, percent / 100) for text, start, end, percent in rows]


def words_of(job_id: str) -> list[Word]:
    """All words of a job in their order; times count from the video's start."""
    chunks = Chunk.select(Chunk.words).where(Chunk.job == job_id).order_by(Chunk.position)
    return [word for chunk in chunks for word in unpack(chunk.words or b"")]


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
            force_insert=True,
        )
    warning = None if passages else NO_SPEECH
    Job.update(revision=revision, warning=warning).where(Job.id == job_id).execute()


def written_by(job_id: str) -> list[Segment]:
    """The passages that the job stored last, in their order."""
    return segments_of(Job.get_by_id(job_id).revision)


def segments_of(revision: str) -> list[Segment]:
    """The passages of a revision, in their order."""
    query = Segment.select(Segment, Video).join(Video).where(Segment.revision == revision)
    return list(query.order_by(Segment.position))


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
    chunks = list(Chunk.select().where(Chunk.job == job_id).order_by(Chunk.position))
    language = next((chunk.language for chunk in chunks if chunk.language), job.language)
    transcript = {"revision": job.revision, "transcript_source": chunks[0].recogniser, "language": language}
    Video.update(transcript).where(Video.id == job.video_id).execute()
    here, at_work = Job.video == job.video_id, Job.state.in_(ACTIVE)
    kept = [writer.revision for writer in Job.select(Job.revision).where(here & at_work)]
    old = (Segment.video == job.video_id) & Segment.revision.not_in([*kept, job.revision])
    Segment.delete().where(old).execute()
    videos.give_access(job.video_id or "", job.owner)
