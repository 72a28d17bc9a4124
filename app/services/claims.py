"""Who works on what: claims with a lease and a fence, and the ways in which a claim ends."""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec

import peewee as pw

from app import clock, config
from app.errors import NotNow, StageError, WorkStopped
from app.models.base import after_commit, transactional
from app.models.jobs import DONE, Chunk, Claimable, JobStage
from app.services import events, jobs, messages, outbox
from app.services.messages import MessageRef
from app.stages import FAN_OUT, NAMES

P = ParamSpec("P")


@dataclass
class Claim:
    """One worker's hold on one stage or chunk; fence tells it from every earlier and later one.

    lease_ids: the slots that it holds of limited resources.
    """

    rows: type[Claimable]
    row_id: int
    fence: int
    attempt: int
    stage: str
    position: int | None
    message: MessageRef
    worker: str
    ended: bool = False
    progress: float = 0.0
    lease_ids: set[int] = field(default_factory=set)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def job_id(self) -> str:
        """The job that the work is for."""
        return self.message.subject

    @property
    def holder(self) -> str:
        """Its name among all claims that there ever are."""
        return f"{self.rows.__name__}:{self.row_id}:{self.fence}"

    def report(self, progress: float) -> None:
        """Note the fraction done, 0 to 1; WorkStopped when the work is no longer wanted."""
        self.progress = max(self.progress, min(progress, 1.0))
        if self.stopped.is_set():
            raise WorkStopped(self.stage)

    def held(self) -> pw.Expression:
        """The condition under which this claim still holds its row."""
        row = self.rows
        leased = (row.state == "running") & row.lease_until.is_null(is_null=False)
        return (row.id == self.row_id) & (row.fence == self.fence) & leased


_current: ContextVar[Claim] = ContextVar("claim")


def work_under(claim: Claim) -> None:
    """Make it the claim of this thread."""
    _current.set(claim)


def current() -> Claim:
    """The claim under which this thread works."""
    return _current.get()


def report(progress: float) -> None:
    """Note the fraction done, 0 to 1, of this thread's work; WorkStopped when it is no longer wanted."""
    current().report(progress)


def end_chain() -> None:
    """Note that nothing follows this thread's work in its chain: what the next stages would do is done."""
    claim = current()
    claim.message = replace(claim.message, follower=None)


def attempts_allowed() -> int:
    """How often a stage or chunk may be tried."""
    return 1 + len(config.current().retry_delays_s)


@transactional
def take(message: MessageRef, position: int | None, worker: str) -> Claim | None:
    """Claim a stage (or the chunk at the position); None: it is done; WorkStopped: it may not start."""
    rows: type[Claimable] = JobStage if position is None else Chunk
    row = _find(message.actor, message.subject, position)
    if row is None or (isinstance(row, JobStage) and not _predecessors_done(row)):
        raise WorkStopped("not ready")
    if row.state == "completed":
        return None
    if _is_lost(row) and row.attempt >= attempts_allowed():
        raise WorkStopped("its attempts are spent; the dispatcher fails the job")
    _mark_running(rows, row, worker)
    claim = Claim(rows, row.id, row.fence + 1, row.attempt + 1, message.actor, position, message, worker)
    jobs.start(message.subject)
    _tell(claim, "running")
    messages.record(message, "running", worker=worker)
    work_under(claim)
    return claim


def _find(actor: str, job_id: str, position: int | None) -> JobStage | Chunk | None:
    if position is None:
        return JobStage.get_or_none(job=job_id, name=actor)
    return Chunk.get_or_none(job=job_id, position=position)


def _predecessors_done(row: JobStage) -> bool:
    unfinished = JobStage.select().where(
        (JobStage.job == row.job_id) & (JobStage.position < row.position) & JobStage.state.not_in(DONE)
    )
    return not unfinished.exists()


def _is_lost(row: Claimable) -> bool:
    return row.state == "running" and row.lease_until is not None and row.lease_until < clock.now()


def _mark_running(rows: type[Claimable], row: Claimable, worker: str) -> None:
    now = clock.now()
    due = rows.next_retry_at.is_null() | (rows.next_retry_at <= now)
    waiting = rows.state.in_(("pending", "retrying")) & due
    free = waiting | ((rows.state == "running") & (rows.lease_until < now))
    changes = {
        "state": "running",
        "attempt": rows.attempt + 1,
        "fence": rows.fence + 1,
        "lease_until": now + timedelta(seconds=config.current().lease_s),
        "worker": worker,
        "progress": 0.0,
        "next_retry_at": None,
        "started_at": row.started_at or now,
        "error_code": None,
        "error_text": None,
    }
    if not rows.update(changes).where((rows.id == row.id) & (rows.fence == row.fence) & free).execute():
        raise WorkStopped("another worker holds it, it is not due yet, or its job has ended")


def _tell(claim: Claim, status: str, **more: object) -> None:
    """A stage's event; a chunk is no stage, but its attempts show in the stage that it is part of."""
    if claim.position is None:
        events.add(claim.job_id, "stage", stage=claim.stage, status=status, attempt=claim.attempt, **more)
        return
    behind = (JobStage.job == claim.job_id) & (JobStage.name == FAN_OUT) & (JobStage.attempt < claim.attempt)
    if JobStage.update(attempt=claim.attempt).where(behind).execute():
        events.add(claim.job_id, "stage", stage=FAN_OUT, status=status, attempt=claim.attempt, **more)


def stores_result(function: Callable[P, None]) -> Callable[P, None]:
    """Let what the function stores and the end of the present claim become true together, or neither."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        finish(current(), lambda: function(*args, **kwargs))

    return run


def hands_over(function: Callable[P, None]) -> Callable[P, None]:
    """As stores_result, but the stage stays running, held by nobody: it ends with its last chunk."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        claim = current()
        _end(claim, {"lease_until": None}, lambda: function(*args, **kwargs))

    return run


def finish(claim: Claim, store: Callable[[], None] | None = None) -> None:
    """Store the result and mark the work completed; WorkStopped, and nothing stored, if the claim is lost."""
    done = {"state": "completed", "progress": 1.0, "lease_until": None, "finished_at": clock.now()}
    _end(claim, done, store)


@transactional
def _end(claim: Claim, changes: dict[str, object], store: Callable[[], None] | None) -> None:
    after_commit(lambda: setattr(claim, "ended", True))
    if not claim.rows.update(changes).where(claim.held()).execute():
        if _is_stored(claim):  # by this very call, whose commit went through though its answer was lost
            return
        raise WorkStopped("the claim was lost")
    if store:
        store()
    messages.record(claim.message, "done", worker=claim.worker)
    if claim.message.follower:
        messages.record(claim.message.follower, "enqueued")
    if changes.get("state") == "completed" and claim.position is None:
        _tell(claim, "completed")
        jobs.update_progress(claim.job_id)
        if claim.stage == NAMES[-1]:
            jobs.complete(claim.job_id)


def _is_stored(claim: Claim) -> bool:
    """Whether the row says that this claim ended well: it is completed, or handed over to its chunks."""
    row, mine = claim.rows, (claim.rows.id == claim.row_id) & (claim.rows.fence == claim.fence)
    handed_over = (row.state == "running") & row.lease_until.is_null()
    return bool(row.select().where(mine & ((row.state == "completed") | handed_over)).exists())


@transactional
def renew(claim: Claim) -> None:
    """Prolong the lease and store the progress; tells the work to stop when the claim is lost."""
    until = clock.now() + timedelta(seconds=config.current().lease_s)
    if claim.rows.update(lease_until=until, progress=claim.progress).where(claim.held()).execute():
        jobs.update_progress(claim.job_id)
    else:
        claim.stopped.set()


@transactional
def give_up(claim: Claim, error: StageError, traceback: str) -> bool:
    """Try again later where that may help and attempts are left, else fail the job; say which."""
    delays = config.current().retry_delays_s
    if error.policy != "retry" or claim.attempt > len(delays):
        return _fail(claim, error, traceback)
    at = clock.now() + timedelta(seconds=delays[claim.attempt - 1])
    changes = {
        "state": "retrying",
        "lease_until": None,
        "next_retry_at": at,
        "error_code": error.code,
        "error_text": error.detail,
    }
    if not claim.rows.update(changes).where(claim.held()).execute():
        return False
    _again(claim, at)
    messages.record(claim.message, "delayed", worker=claim.worker, error=error.detail, traceback=traceback)
    jobs.await_retry(claim.job_id, claim.stage, claim.attempt, error, at)
    return True


def _fail(claim: Claim, error: StageError, traceback: str) -> bool:
    if claim.rows.update(lease_until=None).where(claim.held()).execute():
        messages.record(claim.message, "dead", worker=claim.worker, error=error.detail, traceback=traceback)
        jobs.fail(claim.job_id, claim.stage, error)
    return False


def _again(claim: Claim, at: datetime | None = None, waits_for: str | None = None) -> None:
    outbox.add(
        claim.message.actor,
        claim.job_id,
        position=claim.position,
        priority=claim.message.priority,
        available_at=at,
        message_id=claim.message.id,
        waits_for=waits_for,
        anew=True,  # a quick end may come before the dispatcher has noted that the message was sent
    )


@transactional
def put_back(claim: Claim, wait: NotNow | None = None) -> None:
    """Give the work back unharmed, at a shutdown or until its turn comes: the attempt does not count."""
    changes = {"state": "pending", "lease_until": None, "attempt": claim.rows.attempt - 1}
    if wait and wait.because:
        changes["error_code"], changes["error_text"] = wait.because
    if wait and claim.attempt == 1:
        changes["started_at"] = None
    if not claim.rows.update(changes).where(claim.held()).execute():
        return
    if wait is None:
        _again(claim)
        messages.record(claim.message, "enqueued")
    else:
        _again(claim, wait.at, wait.waits_for)
        messages.record(claim.message, "delayed")
        jobs.await_turn(claim.job_id, claim.stage, claim.attempt, wait)
