"""Who listens to events in this process: one thread reads what is new and passes it to all of them."""

import logging
import threading
import time
from collections.abc import Callable
from queue import Full, Queue
from typing import ClassVar

from app import config
from app.models.base import database
from app.refusals import TooManyListeners
from app.services.feed import Feed, Told

log = logging.getLogger(__name__)

POLL_S = 0.25
WAITING = 1000
"""Events that may wait for a slow listener, who then has to come again."""
START_S = 10.0


class Listener:
    """Somebody who wants to hear of one job, or of an owner's (None: everybody's)."""

    def __init__(self, *, job_id: str | None = None, owner: str | None = None) -> None:
        self.job_id, self.owner = job_id, owner
        self.waiting: Queue[tuple[Told, str] | None] = Queue(WAITING)
        self.lost = False

    def wants(self, told: Told) -> bool:
        """Whether the event is for this listener."""
        if self.job_id is not None:
            return told.job_id == self.job_id
        return self.owner is None or told.owner == self.owner

    def tell(self, told: tuple[Told, str] | None) -> None:
        """Pass an event on, or None: there will be no more."""
        try:
            self.waiting.put_nowait(told)
        except Full:
            self.lost = True


class Listeners:
    """All listeners of this process; the thread runs while there is one."""

    stopping: ClassVar[Callable[[], bool]] = staticmethod(lambda: False)
    """Whether the process ends; a server that waits for its requests' ends says so here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present: set[Listener] = set()
        self._reading: threading.Event | None = None
        self.thread = threading.Thread()

    def add(self, listener: Listener) -> None:
        """Let the listener hear of everything from now on; TooManyListeners where all places are taken."""
        most = config.current().event_listeners
        with self._lock:
            if len(self._present) >= most:
                raise TooManyListeners(f"{most} listeners are connected to this process, the most it takes.")
            self._present.add(listener)
            if self._reading is None:
                self._reading = threading.Event()
                self.thread = threading.Thread(target=self._run, args=(self._reading,), daemon=True)
                self.thread.start()
            reading = self._reading
        if not reading.wait(START_S):
            self.remove(listener)
            raise TooManyListeners("Events cannot be read just now.")

    def remove(self, listener: Listener) -> None:
        """Forget the listener; a second time does no harm."""
        with self._lock:
            self._present.discard(listener)

    def _run(self, reading: threading.Event) -> None:
        feed: Feed | None = None
        while present := self._listening():
            try:
                feed = feed or Feed()
                reading.set()
                _pass_on(feed.read(), present)
                database.close()
            except Exception:
                log.exception("events could not be read; they will be")
            if Listeners.stopping():
                for listener in present:
                    listener.tell(None)
            time.sleep(POLL_S)

    def _listening(self) -> list[Listener]:
        with self._lock:
            if not self._present:
                self._reading = None
            return list(self._present)


def _pass_on(new: list[Told], present: list[Listener]) -> None:
    for told in new:
        if wanted := [listener for listener in present if listener.wants(told)]:
            text = told.text()
            for listener in wanted:
                listener.tell((told, text))


listeners = Listeners()
