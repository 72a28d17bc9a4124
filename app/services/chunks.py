"""A job's sound in pieces: stored first, let into the broker a few at a time, and done when the last is."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from app import clock, config
from app.engines import recogniser
from app.models.base import transactional
from app.models.jobs import OPEN, Chunk, Job, JobStage
from app.services import events, jobs
from app.stages import CHUNK_ACTOR, FAN_OUT, STAGES

FENCES = 2**30
"""Where the count of a chunk's claims may begin; the column holds twice as many."""


def lay_out(job_id: str, slices: Sequence[tuple[float, float]], audio_hash: str) -> None:
    """Put these slices (start and end, seconds) in the place of the job's earlier ones.

    A slice that was recognised before from the same sound with the same settings is done already. Fences
    begin anywhere: SQLite gives ids anew, and a worker of a chunk that is gone may live.
    """
    before = Chunk.select().where((Chunk.job == job_id) & Chunk.words.is_null(is_null=False))
    known = {chunk.made_from: chunk for chunk in before if chunk.made_from}
    Chunk.delete().where(Chunk.job == job_id).execute()
    fence, job = secrets.randbelow(FENCES), Job.get_by_id(job_id)
    for position, (start_s, end_s) in enumerate(slices):
        made_from = _made_from(audio_hash, start_s, end_s, job) if audio_hash else None
        Chunk.create(
            job=job_id,
            position=position,
            start_s=start_s,
            end_s=end_s,
            fence=fence,
            made_from=made_from,
            **_results(known.get(made_from or "")),
        )


def _made_from(audio_hash: str, start_s: float, end_s: float, job: Job) -> str:
    parts = (audio_hash, f"{start_s:.3f}", f"{end_s:.3f}", recogniser.options(config.current()), job.language)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _results(known: Chunk | None) -> dict[str, Any]:
    if known is None:
        return {"state": "pending"}
    said = {"words": known.words, "language": known.language, "recogniser": known.recogniser}
    return {**said, "state": "completed", "progress": 1.0, "finished_at": clock.now()}


def pass_on(job_id: str) -> None:
    """Let the next chunks in, or end the stage after the last; call it where a chunk has ended.

    Whoever ends a chunk holds the stage's row here, so that one of two who end at once sees the other.
    """
    fan_out = (JobStage.job == job_id) & (JobStage.name == FAN_OUT) & (JobStage.state == "running")
    if not JobStage.update(progress=JobStage.progress).where(fan_out).execute():
        return
    jobs.update_progress(job_id)
    _let_in(job_id)
    done = {"state": "completed", "progress": 1.0, "finished_at": clock.now()}
    left = Chunk.select(Chunk.id).where((Chunk.job == job_id) & Chunk.state.in_(OPEN))
    if not left.exists() and JobStage.update(done).where(fan_out).execute():
        events.add(job_id, "stage", stage=FAN_OUT, status="completed")
        jobs.update_progress(job_id)
        follower = STAGES[[stage.name for stage in STAGES].index(FAN_OUT) + 1]
        jobs.ring(job_id, follower.name)


def _let_in(job_id: str) -> None:
    mine = (Chunk.job == job_id) & Chunk.state.in_(OPEN)
    inside = Chunk.select().where(mine & Chunk.released_at.is_null(is_null=False)).count()
    room = config.current().chunk_window - inside
    if room <= 0:
        return
    for chunk in (
        Chunk.select().where(mine & Chunk.released_at.is_null()).order_by(Chunk.position).limit(room)
    ):
        Chunk.update(released_at=clock.now()).where(Chunk.id == chunk.id).execute()
        jobs.ring(job_id, CHUNK_ACTOR, chunk.position)


@transactional
def settle_language(job_id: str, detected: str) -> str:
    """The language in which all of the job's sound is recognised: the one that was detected first."""
    unsettled = (Job.id == job_id) & Job.spoken_language.is_null()
    Job.update(spoken_language=detected).where(unsettled).execute()
    return str(Job.select(Job.spoken_language).where(Job.id == job_id).scalar())


def set_aside(job_id: str) -> None:
    """Keep what was recognised of a job whose sound will be planned anew, as if no chunk had ever begun."""
    Chunk.delete().where((Chunk.job == job_id) & Chunk.made_from.is_null()).execute()
    nothing = {"progress": 0.0, "started_at": None, "finished_at": None, "released_at": None}
    Chunk.update({"state": "skipped", "lease_until": None, **nothing}).where(Chunk.job == job_id).execute()
