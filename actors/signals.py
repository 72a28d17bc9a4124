"""How a process is told to stop."""

import signal
import threading

from app.services import outbox


def stop_event() -> threading.Event:
    """Set by SIGTERM and SIGINT, which also wake a dispatcher of this process."""
    stop = threading.Event()

    def tell(*_: object) -> None:
        stop.set()
        outbox.added.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    return stop
