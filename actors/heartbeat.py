"""Keeps the claims of this process alive, and tells their work to stop when it is no longer wanted."""

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app import clock, config
from app.models.base import release
from app.services import claims, limits, workers
from app.services.claims import Claim

log = logging.getLogger(__name__)
MOST_S = 2.0
"""Between two looks, so that a cancelled job stops within 5 s."""
STOPPING_S = 0.2
"""Between two looks while the process stops."""

_claims: dict[int, Claim] = {}
_lock = threading.Lock()
shutting_down = threading.Event()


@contextmanager
def beating(claim: Claim) -> Iterator[None]:
    """Renew the claim for as long as the block runs."""
    with _lock:
        _claims[id(claim)] = claim
        if shutting_down.is_set():
            claim.stopped.set()
    try:
        yield
    finally:
        with _lock:
            del _claims[id(claim)]


def worker_name() -> str:
    """This process's name in rows and logs."""
    return f"{config.current().name()}:{os.getpid()}"


def run(queues: Sequence[str], threads: int) -> None:
    """Renew all claims, and say that this process lives, until it stops; runs in a thread of its own."""
    interval_s, started_at = min(MOST_S, config.current().lease_s / 3), clock.now()
    while not shutting_down.is_set() or _claims:
        beat()
        try:
            workers.beat(
                worker_name(),
                server=config.current().name(),
                queues=queues,
                threads=threads,
                busy=len(_claims),
                started_at=started_at,
            )
            release()
        except Exception:
            log.exception("heartbeat failed")
        if not shutting_down.wait(interval_s):
            continue
        time.sleep(STOPPING_S)


def beat() -> None:
    """Renew all claims, and the slots that they hold, once."""
    with _lock:
        present = list(_claims.values())
    for claim in present:
        try:
            claims.renew(claim)
            limits.renew(claim)
        except Exception:
            log.exception("heartbeat failed")


def interrupt() -> None:
    """Have the long work of this process put back; short work, which never reports, ends by itself."""
    with _lock:
        shutting_down.set()
        for claim in _claims.values():
            claim.stopped.set()
