"""How fast this installation works, and how long its recognisers are taken: what estimates rest on."""

import heapq
import math
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import peewee as pw

from app import clock, config
from app.engines.weights import whisper_name
from app.models.base import database
from app.models.jobs import OPEN, Chunk, Job, JobStage
from app.services import census
from app.stages import FAN_OUT

PAST_JOBS = 50
LOOK_AHEAD = 1000
"""Jobs farther back in the queue than this are not placed in it."""

KEEP_S = 5.0
"""How long a process uses what it read before it looks again."""

Kind = tuple[str, str | None]
"""A stage and, for the fan-out, the recogniser."""

T = TypeVar("T")


class _Kept(Generic[T]):
    """What the function found in this database, found anew when it is KEEP_S old."""

    def __init__(self, find: Callable[[], T]) -> None:
        self._find, self._lock = find, threading.Lock()
        self._kept: tuple[Any, datetime, T] | None = None

    def __call__(self) -> T:
        with self._lock:
            now, kept = clock.now(), self._kept
            if kept is None or kept[0] is not database.obj or (now - kept[1]).total_seconds() >= KEEP_S:
                kept = self._kept = (database.obj, now, self._find())
            return kept[2]


@dataclass(frozen=True)
class Pace:
    """Seconds of one worker's work per second of video by kind of work, and how long a video usually is.

    at_once: how many recognisers a video has.
    """

    rates: dict[Kind, float]
    usual_duration_s: float
    at_once: int

    def work_s(self, stage: str, duration_s: float, recogniser: str | None = None) -> float | None:
        """How long the stage takes for so long a video; None while there is nothing to learn it from."""
        worked_s = self.worked_s(stage, duration_s, recogniser)
        if worked_s is None or stage != FAN_OUT:
            return worked_s
        # Pieces of equal length are recognised side by side, and the last ones perhaps by fewer.
        pieces = max(1, math.ceil(duration_s / config.current().chunk_s))
        return worked_s / pieces * math.ceil(pieces / self.at_once)

    def worked_s(self, stage: str, duration_s: float, recogniser: str | None = None) -> float | None:
        """How long one worker takes for all of it."""
        named = recogniser or whisper_name(config.current().whisper_model)
        rate = self.rates.get((stage, named if stage == FAN_OUT else None))
        return None if rate is None else rate * duration_s


@_Kept
def pace() -> Pace:
    """Learned from the newest completed jobs; what was tried twice holds waits and teaches nothing."""
    ended = (Job.state == "completed") & Job.follows.is_null() & (Job.duration_s > 0)
    newest = Job.select(Job.id, Job.duration_s).where(ended).order_by(Job.finished_at.desc()).limit(PAST_JOBS)
    lengths = {job.id: job.duration_s or 0.0 for job in newest}
    work_s: dict[Kind, float] = defaultdict(float)
    video_s: dict[Kind, float] = defaultdict(float)
    stages = [(*past, lengths[past[0]]) for past in _past_stages(lengths)]
    for _, kind, started_at, finished_at, took_in_s in [*stages, *_past_chunks(lengths)]:
        work_s[kind] += (finished_at - started_at).total_seconds()
        video_s[kind] += took_in_s
    usual_s = sum(lengths.values()) / len(lengths) if lengths else 0.0
    return Pace({kind: work_s[kind] / video_s[kind] for kind in work_s}, usual_s, _recognisers())


def _recognisers() -> int:
    settings = config.current()
    return max(1, min(settings.chunk_window, settings.workers_asr.total * max(1, census.servers())))


Past = tuple[str, Kind, datetime, datetime]


def past(job_id: str) -> list[tuple[str, str | None, datetime, datetime]]:
    """Stage, recogniser, start and end of each piece of the job's work that went well at the first try."""
    here = {job_id: 0.0}
    return [
        (*kind, started_at, finished_at)
        for _, kind, started_at, finished_at in [*_past_stages(here), *_past_recognitions(here)]
    ]


def _past_stages(jobs: dict[str, float]) -> list[Past]:
    done = (JobStage.state == "completed") & (JobStage.attempt == 1) & (JobStage.name != FAN_OUT)
    rows = JobStage.select().where(JobStage.job.in_(list(jobs)) & done)
    return [(row.job_id, (row.name, None), row.started_at, row.finished_at) for row in rows]


def _past_recognitions(jobs: dict[str, float]) -> list[Past]:
    """From the first chunk's start to the last one's end: the stage itself also waits for its turn."""
    first, last, name = pw.fn.MIN(Chunk.started_at), pw.fn.MAX(Chunk.finished_at), pw.fn.MAX(Chunk.recogniser)
    query = Chunk.select(Chunk.job, first, last, name).where(Chunk.job.in_(list(jobs))).group_by(Chunk.job)
    rows: Any = query.having(pw.fn.MAX(Chunk.attempt) == 1).tuples()
    moment: Any = Chunk.started_at.python_value
    return [(job, (FAN_OUT, name), moment(first), moment(last)) for job, first, last, name in rows]


def _past_chunks(jobs: dict[str, float]) -> list[tuple[str, Kind, datetime, datetime, float]]:
    """Pieces of sound with their length, seconds: how long one recogniser takes, whatever works beside it."""
    done = (Chunk.state == "completed") & (Chunk.attempt == 1) & (Chunk.end_s > Chunk.start_s)
    rows = Chunk.select().where(Chunk.job.in_(list(jobs)) & done)
    return [
        (row.job_id, (FAN_OUT, row.recogniser), row.started_at, row.finished_at, row.end_s - row.start_s)
        for row in rows
    ]


@_Kept
def waits_s() -> dict[str, float]:
    """In how many seconds a recogniser will be free for each of the jobs that have yet to be recognised."""
    stage = (JobStage.name == FAN_OUT) & JobStage.state.in_(OPEN)
    query = Job.select(Job.id, Job.duration_s, JobStage.progress).join(JobStage)
    query = query.where(stage & Job.state.in_(OPEN)).order_by(Job.priority.desc(), Job.id).limit(LOOK_AHEAD)
    rows: Any = query.tuples()
    free_at = [0.0] * config.current().workers_asr.total * max(1, census.servers())
    found = {}
    for job_id, duration_s, progress in sorted(rows, key=lambda row: row[2] == 0):  # those at work first
        found[job_id] = heapq.heappop(free_at)
        work_s = pace().worked_s(FAN_OUT, duration_s or pace().usual_duration_s) or 0.0
        heapq.heappush(free_at, found[job_id] + (1 - progress) * work_s)
    return found
