"""Events as a listener gets them: what was missed, then what happens, each once and in its job's order."""

import time
from collections.abc import Callable, Iterator
from queue import Empty

import peewee as pw

from app import config
from app.errors import InvalidInput
from app.models.base import database
from app.models.jobs import ACTIVE, Job, JobEvent
from app.services import feed
from app.services.feed import Told
from app.services.listeners import Listener, listeners

ENDS = ("completed", "failed", "cancelled")
HEARTBEAT_S = 15.0
HEARTBEAT = ": heart-beat\n\n"
HELLO = "retry: 2000\n\n"
"""A browser comes again so many milliseconds after it lost the connection."""


class Stream:
    """What one listener is sent, until their job ends, their time is up, or they go."""

    def __init__(
        self, listener: Listener, missed: Callable[[], Iterator[Told]], seen: dict[str, int]
    ) -> None:
        self.listener, self.seen = listener, seen
        listeners.add(listener)
        self._texts = self._run(missed)

    def __iter__(self) -> Iterator[str]:
        return self._texts

    def close(self) -> None:
        """Give the place back; the server calls it whatever happened to the connection."""
        listeners.remove(self.listener)

    def _run(self, missed: Callable[[], Iterator[Told]]) -> Iterator[str]:
        until = time.monotonic() + config.current().event_stream_s
        yield HELLO
        for told in missed():
            yield from self._new(told, told.text)
        while not self._has_ended() and not self.listener.lost and (left := until - time.monotonic()) > 0:
            if not database.is_closed():
                database.close()  # nobody keeps a connection while there is nothing to be told
            try:
                heard = self.listener.waiting.get(timeout=min(left, HEARTBEAT_S))
            except Empty:
                yield HEARTBEAT
                continue
            if heard is None:
                return
            told, text = heard
            for earlier in self._skipped(told):
                yield from self._new(earlier, earlier.text)
            yield from self._new(told, lambda text=text: text)  # type: ignore[misc]  # binds this turn's text

    def _new(self, told: Told, text: Callable[[], str]) -> Iterator[str]:
        if told.seq > self.seen.get(told.job_id, 0):
            self.seen[told.job_id] = told.seq
            self._last = told
            yield text()

    def _skipped(self, told: Told) -> list[Told]:
        """Events of the job between the last that was sent and this one: there are none but after a fault."""
        last = self.seen.get(told.job_id)
        if last is None or told.seq <= last + 1:
            return []
        between = (JobEvent.job == told.job_id) & (JobEvent.seq > last) & (JobEvent.seq < told.seq)
        return feed.select(between, order=JobEvent.seq)

    _last: Told | None = None

    def _has_ended(self) -> bool:
        """Whether the job that is listened to has ended, and this was sent."""
        if self.listener.job_id is None or self._last is None or self._last.kind not in ENDS:
            return False
        self._last, at_work = None, (Job.id == self.listener.job_id) & Job.state.in_(ACTIVE)
        return not Job.select().where(at_work).exists()


def of_job(job: Job, last_event_id: str | None) -> Stream | None:
    """All events of the job behind the last that was seen; None: it has ended and there are no more."""
    after = 0
    if last_event_id is not None:
        of, after = parsed(last_event_id)
        if of != job.id:
            raise InvalidInput(f"Last-Event-ID is {last_event_id!r}, which is of another job.")
    if after >= job.event_seq and job.state not in ACTIVE:
        return None

    def missed() -> Iterator[Told]:
        return _behind(
            lambda seen: (JobEvent.job == job.id) & (JobEvent.seq > (seen.seq if seen else after)),
            by_id=False,
        )

    return Stream(Listener(job_id=job.id), missed, {job.id: after})


def of_owner(owner: str | None, last_event_id: str | None) -> Stream:
    """Events of the owner's jobs (None: all): those behind the last that was seen, else from now on."""
    start: int | None = None
    if last_event_id is not None:
        job_id, seq = parsed(last_event_id)
        start = JobEvent.select(JobEvent.id).where((JobEvent.job == job_id) & (JobEvent.seq == seq)).scalar()

    def missed() -> Iterator[Told]:
        if start is None:
            return iter(())
        mine = (Job.owner == owner) if owner is not None else (JobEvent.id > 0)
        return _behind(lambda seen: mine & (JobEvent.id > (seen.id if seen else start)), by_id=True)

    return Stream(Listener(owner=owner), missed, {})


def _behind(condition: Callable[[Told | None], pw.Expression], *, by_id: bool) -> Iterator[Told]:
    """Events for which it holds, read in batches, each behind the one before."""
    last: Told | None = None
    while batch := feed.select(condition(last), order=JobEvent.id if by_id else JobEvent.seq):
        yield from batch
        last = batch[-1]
        if len(batch) < feed.BATCH:
            return


def parsed(last_event_id: str) -> tuple[str, int]:
    """The job and the number of an event's id, job:seq; InvalidInput where it is none."""
    job_id, _, seq = last_event_id.partition(":")
    if len(job_id) != 26 or not job_id.isalnum() or not (seq.isascii() and seq.isdigit()) or len(seq) > 9:
        raise InvalidInput(f"Last-Event-ID is {last_event_id!r}; it may be the id of an event, job:number.")
    return job_id, int(seq)
