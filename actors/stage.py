"""@stage: what every stage needs and none should care for: claim, heartbeat, retries, metrics, logs."""

import errno
import logging
import time
import traceback
from collections.abc import Callable
from functools import wraps

import dramatiq
from dramatiq.middleware import CurrentMessage, SkipMessage
from dramatiq.middleware.time_limit import TimeLimitExceeded

from actors import heartbeat, messages
from actors.broker import broker
from app import config, logs
from app.errors import NotNow, OutOfSpace, StageError, TimeLimitReached, UnexpectedError, WorkStopped
from app.services import claims, jobs
from app.services.claims import Claim
from monitoring import metrics

log = logging.getLogger(__name__)


def stage(*, time_limit_ms: int) -> Callable[[Callable[..., None]], "dramatiq.Actor[..., None]"]:
    """Make an actor of a function that does one stage (or one chunk) of a job.

    It runs under a claim, may run twice, and is skipped when its work is done or its job has ended.
    time_limit_ms holds unless YTRAG_STAGE_TIME_LIMIT_<STAGE>_S says otherwise.
    """

    def decorate(function: Callable[..., None]) -> "dramatiq.Actor[..., None]":
        name = function.__name__

        def run(job_id: str, *position: int) -> None:
            claim = _take(*position)
            if claim is not None:
                with logs.bound(job_id=job_id, stage=name, attempt=claim.attempt), heartbeat.beating(claim):
                    _work(claim, lambda: function(job_id, *position))

        limit_s = config.current().stage_time_limits_s.get(name, time_limit_ms / 1000)
        make = dramatiq.actor(actor_name=name, queue_name=name, broker=broker, time_limit=limit_s * 1000)
        return make(wraps(function)(run))

    return decorate


def _take(position: int | None = None) -> Claim | None:
    message = CurrentMessage.get_current_message()
    if message is None:
        raise RuntimeError("a stage runs for a message only")
    ref = messages.ref(message)
    try:
        return claims.take(ref, position, heartbeat.worker_name())
    except WorkStopped as reason:
        log.info("skipped", extra={"job_id": ref.subject, "stage": ref.actor, "reason": str(reason)})
        raise SkipMessage(str(reason)) from None


def _work(claim: Claim, function: Callable[[], None]) -> None:
    started = time.monotonic()
    metrics.stages_in_progress.labels(claim.stage).inc()
    outcome = "stopped"
    try:
        outcome = _attempt(claim, function)
    finally:
        took_s = time.monotonic() - started
        metrics.stages_in_progress.labels(claim.stage).dec()
        metrics.stage_duration_seconds.labels(claim.stage, outcome).observe(took_s)
        log.info("attempt ended", extra={"outcome": outcome, "took_s": round(took_s, 3)})
    if outcome != "completed":
        raise SkipMessage(outcome)


def _attempt(claim: Claim, function: Callable[[], None]) -> str:
    """Run the stage and settle its claim; returns how it ended."""
    try:
        function()
        if not claim.ended:
            claims.finish(claim)
        return "completed"
    except NotNow as wait:
        claims.put_back(claim, wait)
        return "waiting"
    except WorkStopped:
        if heartbeat.shutting_down.is_set():
            claims.put_back(claim)
        jobs.clean_up(claim.job_id)
        return "stopped"
    except (Exception, TimeLimitExceeded) as error:
        why = named(claim.stage, error)
        expected = isinstance(error, StageError)  # then its sentence says it all
        log.warning("attempt failed", extra={"code": why.code, "detail": why.detail}, exc_info=not expected)
        metrics.stage_failures_total.labels(claim.stage, why.code).inc()
        if not claims.give_up(claim, why, traceback.format_exc()):
            if why.retryable:
                metrics.dead_lettered_total.labels(claim.stage).inc()
            return "failed"
        metrics.stage_retries_total.labels(claim.stage).inc()
        return "retrying"


def named(stage: str, error: BaseException) -> StageError:
    """The error in our own words, with a code."""
    if isinstance(error, StageError):
        return error
    if isinstance(error, TimeLimitExceeded):
        return TimeLimitReached(f"{stage} ran longer than it may.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfSpace("There is no space left on the disk.")
    return UnexpectedError(f"{type(error).__name__} in {stage}: {error}")
