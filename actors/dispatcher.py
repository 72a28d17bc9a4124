"""Moves due work from the database to the broker, and brings back what was lost."""

import logging
import threading

from actors.broker import broker
from actors.messages import build
from actors.pipeline import chain_from
from app import config
from app.models.messages import Outbox
from app.services import outbox, recovery
from app.stages import CHUNK_ACTOR, NAMES

log = logging.getLogger(__name__)


def run(stop: threading.Event) -> None:
    """Dispatch until told to stop; wakes at once for what this process adds, else every YTRAG_POLL_S."""
    while not stop.is_set():
        outbox.added.clear()
        try:
            recovery.recover()
            while dispatch_due():
                pass
            wait_s = outbox.seconds_to_next(config.current().poll_s)
        except Exception:
            log.exception("dispatching failed; what is due stays in the outbox")
            wait_s = config.current().poll_s
        outbox.added.wait(wait_s)


def dispatch_due() -> int:
    """Publish what is due and return how many messages that were."""
    due = outbox.claim_due()
    for row in due:
        publish(row)
        if row.actor in NAMES or row.actor == CHUNK_ACTOR:
            outbox.mark_sent(row)
    return len(due)


def publish(row: Outbox) -> None:
    """Hand one row to the broker: a chain of stages, a chunk, or housekeeping, which settles its own row."""
    if row.actor in NAMES:
        chain_from(row.actor, row.subject, priority=row.priority, message_id=row.message_id).run()  # type: ignore[no-untyped-call]  # Dramatiq leaves it so
        return
    args = (row.subject,) if row.position is None else (row.subject, row.position)
    broker.enqueue(build(row.actor, *args, priority=row.priority, message_id=row.message_id))
