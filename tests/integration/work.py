"""Does a job's stages as a worker would, with results made up on the spot: tiny, at once, and no engine."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.engines.storage import storage
from app.models.base import transactional
from app.models.jobs import Job
from app.services import claims, media, transcripts
from app.services.claims import Claim
from app.services.messages import MessageRef
from app.stages import CHUNK_ACTOR, FAN_OUT, NAMES
from app.values import Media, Passage, Recognition, Sentence, Word

DURATION_S = 60.0


def take(job_id: str, stage: str, worker: str = "one") -> Claim:
    """Claim the stage, or for the chunks' actor the first chunk."""
    position = 0 if stage == CHUNK_ACTOR else None
    claim = claims.take(MessageRef(f"{stage}-{job_id}"[:36], stage, job_id, 1, position), position, worker)
    assert claim is not None
    return claim


def do(job_id: str, *stages: str, spend: Callable[[str], None] = lambda _stage: None) -> None:
    """Do these stages, one after the other, the fan-out with its only chunk; spend lets the time go by."""
    for stage in stages:
        take(job_id, stage)
        if stage != FAN_OUT:
            spend(stage)
        store(job_id, stage)
        if stage == FAN_OUT:
            take(job_id, CHUNK_ACTOR)
            spend(stage)
            said = Recognition("en", (Word("Elephants", 1.0, 1.5, 0.9), Word("remember.", 1.5, 2.0, 0.9)))
            transcripts.store_words(job_id, 0, said, "whisper-small")


def begin_recognition(job_id: str) -> None:
    """Store the job's only chunk, which then waits for a recogniser."""
    take(job_id, FAN_OUT)
    store(job_id, FAN_OUT)


def complete(job_id: str) -> None:
    """Do all stages of a job that was made from a URL."""
    do(job_id, *NAMES)


def store(job_id: str, stage: str) -> None:
    """Store a result of the claimed stage, which ends with it."""
    video = Media(Path("talk.webm"), "youtube", "jNQXAC9IVRw", "At the zoo", Job.get_by_id(job_id).url)
    written = transcripts.written_by(job_id)
    match stage:
        case "download":
            media.store_media(job_id, video, file_of(job_id, "talk.webm"))
        case "extract_audio":
            media.store_audio(job_id, file_of(job_id, "audio.wav"), DURATION_S)
        case "transcribe":
            transcripts.plan_chunks(job_id, [(0.0, DURATION_S)])
        case "segment":
            transcripts.replace_segments(job_id, [Passage((Sentence("Elephants remember.", 1.0, 2.0),))])
        case "embed":
            transcripts.store_vectors(written, [np.ones((2, 4), np.float32) for _ in written], "test")
        case "index":
            transcripts.publish(job_id)


def file_of(job_id: str, name: str) -> str:
    """Store a file of the job and return its key."""
    key = media.new_key(job_id, name)
    with storage().workspace() as directory:
        (directory / name).write_text(name)
        storage().put(directory / name, key)
    return key


def files(data_dir: Path) -> list[str]:
    """Names of all files that are stored, without the claim that they came from."""
    found = (data_dir / "files").rglob("*")
    return sorted(path.name.partition("-")[2] or path.name for path in found if path.is_file())


@transactional
def ended(job_id: str, state: str) -> None:
    """Have the job's row say that it ended so, where a test does not care how."""
    Job.update(state=state).where(Job.id == job_id).execute()
