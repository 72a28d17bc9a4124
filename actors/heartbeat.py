"""Keeps the claims of this process alive, and tells their work to stop when it is no longer wanted."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app import config
from app.services import claims
from app.services.claims import Claim

log = logging.getLogger(__name__)
MOST_S = 2.0
"""Between two looks, so that a cancelled job stops within 5 s."""

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


def run() -> None:
    """Renew all claims again and again; runs in a thread of its own until the process ends."""
    interval_s = min(MOST_S, config.current().lease_s / 3)
    while True:
        beat()
        threading.Event().wait(interval_s)


def beat() -> None:
    """Renew all claims once."""
    with _lock:
        present = list(_claims.values())
    for claim in present:
        try:
            claims.renew(claim)
        except Exception:
            log.exception("heartbeat failed")


def interrupt() -> None:
    """Have the long work of this process put back; short work, which never reports, ends by itself."""
    with _lock:
        shutting_down.set()
        for claim in _claims.values():
            claim.stopped.set()
