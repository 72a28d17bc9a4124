"""The work behind a batch: listed by one worker at a time, its jobs made a few at a time and once each."""

from datetime import timedelta
from typing import Any

from app import clock, config
from app.engines.listing import Listing
from app.errors import NotNow, StageError, WorkerLost, WorkStopped
from app.models.base import transactional
from app.models.batches import Batch, BatchEntry
from app.services import batches, claims, intake, outbox
from app.services.claims import Claim
from app.services.intake import Request
from app.services.messages import MessageRef

AT_ONCE = 20
"""Jobs that are made in one transaction."""


@transactional
def take(message: MessageRef, worker: str) -> Claim | None:
    """Claim the batch's listing; None where it is done, held by another, not due yet, or given up."""
    batch, now = Batch.get_or_none(id=message.subject), clock.now()
    if batch is None or batch.state in ("completed", "failed"):
        outbox.settle(batches.ACTOR, message.subject)
        return None
    due = Batch.next_retry_at.is_null() | (Batch.next_retry_at <= now)
    waiting = Batch.state.in_(("pending", "retrying")) & due
    free = waiting | ((Batch.state == "running") & (Batch.lease_until < now))
    if batch.state == "running" and batch.attempt >= claims.attempts_allowed():
        lost = WorkerLost(f"The worker died in listing; it was tried {batch.attempt} times.")
        _fail((Batch.id == batch.id) & (Batch.fence == batch.fence) & free, batch.id, lost)
        return None
    changes = {
        "state": "running",
        "attempt": Batch.attempt + 1,
        "fence": Batch.fence + 1,
        "lease_until": now + timedelta(seconds=config.current().lease_s),
        "worker": worker,
        "next_retry_at": None,
        "started_at": batch.started_at or now,
        "error_code": None,
        "error_text": None,
    }
    mine = (Batch.id == batch.id) & (Batch.fence == batch.fence) & free
    if not Batch.update(changes).where(mine).execute():
        return None
    about = (message.actor, None, message, worker)
    claim = Claim(Batch, batch.id, batch.fence + 1, batch.attempt + 1, *about)  # type: ignore[arg-type]  # told
    claims.work_under(claim)
    return claim


def batch_of(claim: Claim) -> Batch:
    """The batch as it stands."""
    return Batch.get_by_id(claim.row_id)


@transactional
def store(claim: Claim, listing: Listing) -> None:
    """Store what was listed; WorkStopped, and nothing stored, if the claim is lost."""
    _keep(claim)
    batches.add_listed(batch_of(claim), listing.title, listing.videos)


def make_jobs(claim: Claim) -> None:
    """Make a job of each video that has none yet, and end the listing."""
    while _make_some(claim):
        claim.report(0.0)
    _finish(claim)


@transactional
def _make_some(claim: Claim) -> bool:
    _keep(claim)
    batch = batch_of(claim)
    left = (BatchEntry.batch == batch.id) & BatchEntry.job.is_null() & BatchEntry.error_code.is_null()
    entries = list(BatchEntry.select().where(left).order_by(BatchEntry.position).limit(AT_ONCE))
    for entry in entries:
        name = f"Process video: {entry.title or entry.url}"
        receipt = intake.accept(Request(owner=batch.owner, url=entry.url, name=name, **batch.wishes))
        BatchEntry.update(job=receipt.job.id).where(BatchEntry.id == entry.id).execute()
    return bool(entries)


def _keep(claim: Claim) -> None:
    until = clock.now() + timedelta(seconds=config.current().lease_s)
    if not Batch.update(lease_until=until).where(claim.held()).execute():
        raise WorkStopped("the claim was lost")


@transactional
def _finish(claim: Claim) -> None:
    done = {"state": "completed", "progress": 1.0, "lease_until": None, "finished_at": clock.now()}
    if Batch.update(done).where(claim.held()).execute():
        outbox.settle(batches.ACTOR, claim.job_id)


@transactional
def put_back(claim: Claim, wait: NotNow | None = None) -> None:
    """Give the listing back unharmed, at a shutdown or until its turn comes: the attempt does not count."""
    code, text = wait.because if wait and wait.because else (None, None)
    changes: dict[str, Any] = {"state": "pending", "error_code": code, "error_text": text}
    changes["attempt"] = Batch.attempt - 1
    if _let_go(claim, changes):
        _again(claim.message, wait)


@transactional
def give_up(claim: Claim, error: StageError) -> None:
    """List again later where that may help and attempts are left, else fail the batch."""
    delays = config.current().retry_delays_s
    if error.policy != "retry" or claim.attempt > len(delays):
        _fail(claim.held(), claim.job_id, error)
        return
    at = clock.now() + timedelta(seconds=delays[claim.attempt - 1])
    why = {"error_code": error.code, "error_text": error.detail}
    if _let_go(claim, {"state": "retrying", "next_retry_at": at, **why}):
        _again(claim.message, NotNow(at=at, waits_for=None))


def _let_go(claim: Claim, changes: dict[str, Any]) -> bool:
    return bool(Batch.update({**changes, "lease_until": None}).where(claim.held()).execute())


def _again(message: MessageRef, wait: NotNow | None) -> None:
    outbox.add(
        message.actor,
        message.subject,
        priority=message.priority,
        available_at=wait.at if wait else None,
        message_id=message.id,
        waits_for=wait.waits_for if wait else None,
        anew=True,
    )


def _fail(which: Any, batch_id: str, error: StageError) -> None:
    failed = {"state": "failed", "lease_until": None, "finished_at": clock.now()}
    why = {"error_code": error.code, "error_text": error.detail}
    if Batch.update({**failed, **why}).where(which).execute():
        outbox.settle(batches.ACTOR, batch_id)
