"""Who works on what: claims with a lease and a fence, and the ways in which a claim ends."""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import wraps
from typing import NamedTuple, ParamSpec

import peewee as pw

from app import clock, config
from app.errors import NotNow, StageError, WorkStopped
from app.models import sql
from app.models.base import after_commit, transactional
from app.models.jobs import DONE, Chunk, Claimable, JobStage
from app.services import events, jobs, measures, messages, outbox
from app.services.events import Event
from app.services.messages import MessageRef
from app.stages import FAN_OUT, NAMES, overall_progress

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


HELD = "state = 'running' AND lease_until IS NOT NULL"
"""The same in SQL, beside the row's id and fence."""

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
    found = _look(rows, message, position)
    if found.state == "completed":
        return None
    lost = found.state == "running" and found.lease_until is not None and found.lease_until < clock.now()
    if lost and found.attempt >= attempts_allowed():
        raise WorkStopped("its attempts are spent; the dispatcher fails the job")
    claim = Claim(
        rows, found.id, found.fence + 1, found.attempt + 1, message.actor, position, message, worker
    )
    _mark_running(claim)
    _tell_running(claim, first=found.job_started_at is None)
    messages.record(message, "running", worker=worker)
    work_under(claim)
    return claim


class Found(NamedTuple):
    """A row that may be claimed, and when its job started."""

    id: int
    state: str
    fence: int
    attempt: int
    lease_until: datetime | None
    job_started_at: datetime | None


def _look(rows: type[Claimable], message: MessageRef, position: int | None) -> Found:
    """The row that the message is for; WorkStopped where it is not its turn yet."""
    row = "s.id, s.state, s.fence, s.attempt, s.lease_until, j.started_at"
    source = f"{rows.table()} s JOIN job j ON j.id = s.job_id"
    before = "NULL"
    if position is None:  # each stage began behind the one before it, so that one tells of all
        before = "p.state"
        source += " LEFT JOIN job_stage p ON p.job_id = s.job_id AND p.position = s.position - 1"
    query = f"SELECT {before}, {row} FROM {source} WHERE s.job_id = ? AND s.position = ?"
    place = NAMES.index(message.actor) if position is None else position
    found = sql.find(query, message.subject, place)
    if not found or found[0][0] not in (None, *DONE):
        raise WorkStopped("not ready")
    _, row_id, state, fence, attempt, lease_until, started_at = found[0]
    return Found(row_id, state, fence, attempt, sql.moment(lease_until), sql.moment(started_at))


def _tell_running(claim: Claim, *, first: bool) -> None:
    told = _news(claim, "running")
    if first:
        measures.job_started(claim.job_id)
        events.tell(claim.job_id, ("started", {}), *told, state="running", started_at=clock.now())
    else:
        events.tell(claim.job_id, *told, state="running")


TAKEN = (
    "state = 'running', attempt = attempt + 1, fence = fence + 1, lease_until = ?, worker = ?, progress = 0, "
    "next_retry_at = NULL, started_at = COALESCE(started_at, ?), error_code = NULL, error_text = NULL"
)
FREE = (
    "((state IN ('pending', 'retrying') AND (next_retry_at IS NULL OR next_retry_at <= ?)) "
    "OR (state = 'running' AND lease_until < ?))"
)


def _mark_running(claim: Claim) -> None:
    now = clock.now()
    until = now + timedelta(seconds=config.current().lease_s)
    change = f"UPDATE {claim.rows.table()} SET {TAKEN} WHERE id = ? AND fence = ? AND {FREE}"
    otherwise = WorkStopped("another worker holds it, it is not due yet, or its job has ended")
    sql.expect(otherwise, change, until, claim.worker, now, claim.row_id, claim.fence - 1, now, now)


def _news(claim: Claim, status: str) -> list[Event]:
    """A stage's event; a chunk is no stage, but its attempts show in the stage that it is part of."""
    stage = claim.stage
    if claim.position is not None:
        stage = FAN_OUT
        behind = "UPDATE job_stage SET attempt = ? WHERE job_id = ? AND position = ? AND attempt < ?"
        place = NAMES.index(FAN_OUT)
        if not sql.change(behind, claim.attempt, claim.job_id, place, claim.attempt):
            return []
    return [("stage", {"stage": stage, "status": status, "attempt": claim.attempt})]


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
    assignments = ", ".join(f"{column} = ?" for column in changes)
    change = f"UPDATE {claim.rows.table()} SET {assignments} WHERE id = ? AND fence = ? AND {HELD}"
    if not sql.change(change, *changes.values(), claim.row_id, claim.fence):
        if _is_stored(claim):  # by this very call, whose commit went through though its answer was lost
            return
        raise WorkStopped("the claim was lost")
    if store:
        store()
    follower = claim.message.follower
    next_one = [(follower, "enqueued")] if follower else []
    messages.record_all([(claim.message, "done"), *next_one], worker=claim.worker)
    if changes.get("state") == "completed" and claim.position is None:
        done = NAMES[: NAMES.index(claim.stage) + 1]
        progress = overall_progress(dict.fromkeys(done, 1.0))
        moved = ("progress", {"overall_progress": progress})
        events.tell(claim.job_id, *_news(claim, "completed"), moved, progress=progress)
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
        priority=jobs.priority_of(claim.job_id),
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
