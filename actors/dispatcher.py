"""Moves due work from the database to the broker, and brings back what was lost."""

import logging
import math
import threading
import time
from collections.abc import Callable

from actors import depths, pools, process, watch
from actors.broker import broker
from actors.messages import build
from actors.pipeline import chain_from
from app import config, logs
from app.models import schema
from app.models.base import release
from app.services import limits, outbox, recovery, runs, schedules, sources
from app.services.outbox import Due
from app.stages import CHUNK_ACTOR, NAMES
from monitoring import metrics, serving

log = logging.getLogger(__name__)

RECONCILE_EVERY_S = 10.0
LOOK_EVERY_S = 0.25
"""Beside a broker that others use, where what they accept wakes nobody here."""


def main() -> None:
    """Run as a process of its own until SIGTERM or SIGINT; any number may run at once."""
    settings = config.current()
    logs.set_up(settings.log_format)
    schema.open_database(settings)
    pools.declare_actors()
    schedules.ensure_system_schedules(settings.housekeeping_interval_s)
    metrics.begin_jobs()
    serving.serve(settings.metrics_port, host=settings.metrics_host, ready=watch.readiness())
    log.info("dispatching")
    run(process.stop_event())


def run(stop: threading.Event) -> None:
    """Dispatch until told to stop; wakes at once for what this process adds or is due."""
    reconciled_at = time.monotonic()
    most_s = min(config.current().poll_s, LOOK_EVERY_S if config.current().broker_url else math.inf)
    while not stop.is_set():
        outbox.added.clear()
        wait_s = most_s
        try:
            if not [task for task in TASKS if not _is_done(task)]:
                runs.note("dispatch")
            if time.monotonic() - reconciled_at > RECONCILE_EVERY_S:
                reconciled_at = time.monotonic()
                recovery.ring_lost(depths.waiting)
                runs.note("reconcile")
            wait_s = schedules.seconds_to_next(outbox.seconds_to_next(wait_s))
        except Exception:
            log.exception(FAILED)
        release()
        outbox.added.wait(wait_s)


def _is_done(task: Callable[[], object]) -> bool:
    """Whether it went well; if not, the log says why, and the others are done all the same."""
    try:
        task()
    except Exception:
        log.exception(FAILED)
        return False
    return True


def dispatch_all() -> None:
    """Publish all that is due."""
    while dispatch_due() == outbox.BATCH:
        pass


TASKS = (recovery.recover, schedules.fire_due, sources.let_in, limits.let_in, dispatch_all)
FAILED = "dispatching failed; what is due stays in the database"


def dispatch_due() -> int:
    """Publish what is due and return how many messages that were; what cannot be published stays."""
    due = outbox.claim_due()
    sent: list[Due] = []
    try:
        for row in due:
            publish(row)
            sent.append(row)
    except Exception:
        outbox.put_back(due[len(sent) :])
        raise
    finally:
        outbox.mark_sent(*(row for row in sent if row.actor in NAMES or row.actor == CHUNK_ACTOR))
    return len(due)


def publish(row: Due) -> None:
    """Hand one row to the broker: a chain of stages, a chunk, or housekeeping, which settles its own row."""
    if row.actor in NAMES:
        chain = chain_from(row.actor, row.subject, priority=row.priority, message_id=row.id)
        broker.enqueue(chain.messages[0])
        return
    args = (row.subject,) if row.position is None else (row.subject, row.position)
    broker.enqueue(build(row.actor, *args, priority=row.priority, message_id=row.id))


if __name__ == "__main__":
    process.run("dispatcher", main)
