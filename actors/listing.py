"""List a playlist or channel, and make the jobs of a batch. The outbox row stays until that is done."""

import logging

import dramatiq
from dramatiq.middleware import CurrentMessage
from dramatiq.middleware.time_limit import TimeLimitExceeded

from actors import heartbeat, messages
from actors.broker import broker
from actors.stage import named
from app import logs
from app.engines.listing import video_lister
from app.engines.storage import storage
from app.errors import NotNow, StageError, WorkStopped
from app.services import limits, listings, sources
from app.services.claims import Claim

log = logging.getLogger(__name__)


@dramatiq.actor(queue_name="list_videos", broker=broker, time_limit=3600 * 1000)
def list_videos(batch_id: str) -> None:
    """Find the videos of the batch where it names a list, and make a job of each."""
    message = CurrentMessage.get_current_message()
    assert message is not None
    claim = listings.take(messages.ref(message), heartbeat.worker_name())
    if claim is not None:
        with logs.bound(batch_id=batch_id, attempt=claim.attempt), heartbeat.beating(claim):
            _attempt(claim)


def _attempt(claim: Claim) -> None:
    try:
        _list(claim)
        listings.make_jobs(claim)
    except NotNow as wait:
        listings.put_back(claim, wait)
    except WorkStopped:
        listings.put_back(claim)
    except (Exception, TimeLimitExceeded) as error:
        why = named("list_videos", error)
        known = isinstance(error, StageError)
        log.warning("listing failed", extra={"code": why.code, "detail": why.detail}, exc_info=not known)
        listings.give_up(claim, why)


def _list(claim: Claim) -> None:
    batch = listings.batch_of(claim)
    if batch.url is None or batch.listed_at is not None:
        return
    with sources.visiting(batch.url), limits.downloading(batch.url), storage().workspace() as directory:
        listing = video_lister().list_videos(
            batch.url, directory, most=batch.most, since=batch.since, on_progress=claim.report
        )
    listings.store(claim, listing)
