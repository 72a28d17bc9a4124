"""A job's sound in pieces: stored first, let into the broker a few at a time, and done when the last is."""

import hashlib
import secrets
from collections.abc import Sequence

from app import clock, config
from app.engines import recogniser
from app.models import sql
from app.models.base import transactional
from app.models.jobs import OPEN, Chunk, Job
from app.services import events, jobs
from app.stages import CHUNK_ACTOR, FAN_OUT, NAMES

FENCES = 2**30
"""Where the count of a chunk's claims may begin; the column holds twice as many."""


def lay_out(job_id: str, slices: Sequence[tuple[float, float]], audio_hash: str) -> None:
    """Put these slices (start and end, seconds) in the place of the job's earlier ones.

    A slice that was recognised before from the same sound with the same settings is done already. Fences
    begin anywhere: SQLite gives ids anew, and a worker of a chunk that is gone may live.
    """
    before = "SELECT made_from, words, language, recogniser FROM chunk WHERE job_id = ? AND words IS NOT NULL"
    known = {made_from: said for made_from, *said in sql.find(before, job_id) if made_from}
    sql.later("DELETE FROM chunk WHERE job_id = ?", job_id)
    ((language,),) = sql.find("SELECT language FROM job WHERE id = ?", job_id)
    fence, rows = secrets.randbelow(FENCES), []
    for position, (start_s, end_s) in enumerate(slices):
        made_from = _made_from(audio_hash, start_s, end_s, language) if audio_hash else None
        said = known.get(made_from)
        result = ("completed", 1.0, clock.now(), *said) if said else ("pending", 0.0, None, None, None, None)
        rows.append((job_id, position, start_s, end_s, 0, fence, made_from, *result))
    if rows:
        sql.insert("chunk", COLUMNS, *rows)


COLUMNS = (
    *("job_id", "position", "start_s", "end_s", "attempt", "fence", "made_from"),
    *("state", "progress", "finished_at", "words", "language", "recogniser"),
)


def _made_from(audio_hash: str, start_s: float, end_s: float, language: str | None) -> str:
    parts = (audio_hash, f"{start_s:.3f}", f"{end_s:.3f}", recogniser.options(config.current()), language)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def pass_on(job_id: str) -> None:
    """Let the next chunks in, or end the stage after the last; call it where a chunk has ended.

    Whoever ends a chunk holds the stage's row here, so that one of two who end at once sees the other.
    """
    hold = "UPDATE job_stage SET progress = progress WHERE job_id = ? AND name = ? AND state = 'running'"
    if not sql.change(hold, job_id, FAN_OUT):
        return
    ((left, inside),) = sql.find(
        f"SELECT COUNT(*), COUNT(released_at) FROM chunk WHERE job_id = ? AND state IN {OPEN}", job_id
    )
    if left:
        jobs.update_progress(job_id)
        _let_in(job_id, config.current().chunk_window - inside)
        return
    done = "UPDATE job_stage SET state = 'completed', progress = 1, finished_at = ?"
    sql.later(f"{done} WHERE job_id = ? AND name = ?", clock.now(), job_id, FAN_OUT)
    events.add(job_id, "stage", stage=FAN_OUT, status="completed")
    jobs.update_progress(job_id)
    jobs.ring(job_id, NAMES[NAMES.index(FAN_OUT) + 1])


def _let_in(job_id: str, room: int) -> None:
    if room <= 0:
        return
    waiting = f"SELECT id, position FROM chunk WHERE job_id = ? AND state IN {OPEN} AND released_at IS NULL"
    for chunk_id, position in sql.find(f"{waiting} ORDER BY position LIMIT ?", job_id, room):
        sql.later("UPDATE chunk SET released_at = ? WHERE id = ?", clock.now(), chunk_id)
        jobs.ring(job_id, CHUNK_ACTOR, position)


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
