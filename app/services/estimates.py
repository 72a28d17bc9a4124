"""When a job will be done, judged by this installation's own past and by the job's own speed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock
from app.models.jobs import ACTIVE, DONE, Chunk, Job, JobStage
from app.services.pace import pace, waits_s
from app.stages import FAN_OUT, NAMES

WINDOW_S = 30.0
"""Sound that a recogniser takes in at once, seconds: so much more may be done than it has told."""


@dataclass(frozen=True)
class Piece:
    """A chunk of a job: seconds of sound, how much of it is done (0 to 1), seconds of work spent on it."""

    sound_s: float
    done: float
    spent_s: float


@dataclass(frozen=True)
class Recognition:
    """A job's chunks, once it is being recognised, and by what."""

    pieces: tuple[Piece, ...] = ()
    recogniser: str | None = None

    def is_begun(self) -> bool:
        """Whether a recogniser has begun."""
        return any(piece.spent_s for piece in self.pieces)

    def left_s(self, learned: float | None, at_once: int) -> float | None:
        """Seconds until so many recognisers are done; learned: their seconds of work for a second of sound.

        What the pieces' own speed says counts for as much as is done of the sound, what was learned else.
        """
        heard_s = sum(piece.done * piece.sound_s for piece in self.pieces)
        share = heard_s / sum(piece.sound_s for piece in self.pieces)
        own = sum(piece.spent_s for piece in self.pieces if piece.done) / heard_s if heard_s else None
        rate = own if learned is None or own is None else share * own + (1 - share) * learned
        rate = learned if rate is None else rate
        if rate is None:
            return None
        left = [_piece_left_s(piece, rate) for piece in self.pieces if piece.done < 1]
        return max([sum(left) / at_once, *left], default=0.0)


def _piece_left_s(piece: Piece, rate: float) -> float:
    """By the time spent on it, within what its progress allows."""
    by_progress = (1 - piece.done) * piece.sound_s * rate
    by_time = piece.sound_s * rate - piece.spent_s
    return max(0.0, min(by_progress, max(by_time, by_progress - WINDOW_S * rate)))


def completions(jobs: Sequence[Job], stages: Mapping[str, Sequence[JobStage]]) -> dict[str, datetime]:
    """When each of these jobs will be done, by its stages; those of which nobody can say it are left out."""
    known = [job for job in jobs if job.state in ACTIVE and job.duration_s]
    begun = _recognitions([job.id for job in known])
    found = {job.id: _completion(job, stages[job.id], begun.get(job.id, Recognition())) for job in known}
    return {job_id: moment for job_id, moment in found.items() if moment is not None}


def _recognitions(job_ids: Sequence[str]) -> dict[str, Recognition]:
    if not job_ids:
        return {}
    pieces: dict[str, list[Piece]] = defaultdict(list)
    recognisers: dict[str, str] = {}
    for chunk in Chunk.select().where(Chunk.job.in_(job_ids)):
        pieces[chunk.job_id].append(_piece(chunk))
        if chunk.recogniser:
            recognisers[chunk.job_id] = chunk.recogniser
    return {job: Recognition(tuple(found), recognisers.get(job)) for job, found in pieces.items()}


def _piece(chunk: Chunk) -> Piece:
    done = 1.0 if chunk.state in DONE else float(chunk.progress) if chunk.state == "running" else 0.0
    until = chunk.finished_at if chunk.state in DONE else clock.now()
    is_begun = chunk.state in DONE or chunk.state == "running"
    spent_s = (until - chunk.started_at).total_seconds() if is_begun and chunk.started_at and until else 0.0
    return Piece(max(0.1, chunk.end_s - chunk.start_s), done, spent_s)


def _completion(job: Job, stages: Sequence[JobStage], recognition: Recognition) -> datetime | None:
    before_s, after_s, wait_s, begins = 0.0, 0.0, 0.0, clock.now()
    if is_early := job.state == "scheduled" and job.run_at is not None and job.run_at > begins:
        begins = job.run_at  # and who will be before it then, nobody knows
    for stage in stages:
        left_s = _left_s(job, stage, recognition)
        if left_s is None:
            return None
        if stage.position < NAMES.index(FAN_OUT):
            before_s += left_s
        else:
            after_s += left_s
        if stage.name == FAN_OUT and not (stage.state in DONE or recognition.is_begun() or is_early):
            wait_s = waits_s().get(job.id, -1.0)
    if wait_s < 0:
        return None
    # The recognisers work for others while this job is not ready for them.
    return begins + timedelta(seconds=max(before_s, wait_s) + after_s)


def _left_s(job: Job, stage: JobStage, recognition: Recognition) -> float | None:
    """Seconds of work that the stage has left, and of the wait for its next attempt."""
    if stage.state in DONE:
        return 0.0
    learned_s = pace().work_s(stage.name, job.duration_s or 0.0, recognition.recogniser)
    now = clock.now()
    if stage.next_retry_at and learned_s is not None:
        wait_s: float = (stage.next_retry_at - now).total_seconds()
        return max(0.0, wait_s) + learned_s
    if stage.name == FAN_OUT and recognition.pieces:
        rate = pace().worked_s(FAN_OUT, 1.0, recognition.recogniser)
        return recognition.left_s(rate, pace().at_once)
    if stage.state != "running" or stage.started_at is None or stage.name == FAN_OUT:
        return learned_s
    return _left_at_work_s((now - stage.started_at).total_seconds(), stage, learned_s)


def _left_at_work_s(spent_s: float, stage: JobStage, learned_s: float | None) -> float | None:
    """What the stage's own speed says counts for as much as it has done, what was learned for the rest."""
    done, is_first = float(stage.progress), stage.attempt == 1
    if done and is_first:  # what a later attempt has spent holds the earlier ones and their waits
        own_s = spent_s / done
        return (1 - done) * (own_s if learned_s is None else done * own_s + (1 - done) * learned_s)
    if learned_s is None:
        return None
    return max(0.0, learned_s - spent_s) if is_first else (1 - done) * learned_s
