"""Reads the events of all jobs as they are stored, for one thread that passes them on."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee as pw

from app.models.jobs import Job, JobEvent
from app.services import notifications

BATCH = 1000
HOLD_S = 0.4
"""So long what follows a missing id is held back: ids are given before they are stored, so that the missing
one may still come."""
FORGET_S = 30.0
"""After so long a missing id is none: its transaction was undone."""
LOOK_BACK = 200
"""So many of the last ids may still come when reading begins."""


@dataclass(frozen=True)
class Told:
    """An event, whose job it is about and who owns that; seq counts in the job."""

    id: int
    job_id: str
    owner: str
    seq: int
    kind: str
    payload: dict[str, Any]
    at: datetime

    def text(self) -> str:
        """The event as a server-sent one."""
        data = notifications.describe(self.job_id, self.seq, self.kind, self.payload, self.at)
        return notifications.as_stream(f"{self.job_id}:{self.seq}", self.kind, data)


def select(condition: pw.Expression, *, order: pw.Field, limit: int = BATCH) -> list[Told]:
    """Events for which this holds, in this order."""
    query = (
        JobEvent.select(JobEvent, Job.id, Job.owner).join(Job).where(condition).order_by(order).limit(limit)
    )
    return [Told(row.id, row.job_id, row.job.owner, row.seq, row.type, row.payload, row.at) for row in query]


class Feed:
    """What is new since the last look, in the order of ids."""

    def __init__(self) -> None:
        self.last = int(JobEvent.select(pw.fn.MAX(JobEvent.id)).scalar() or 0)
        recent = range(max(1, self.last - LOOK_BACK), self.last)
        known = {row.id for row in JobEvent.select(JobEvent.id).where(JobEvent.id >= recent.start)}
        self.missing = dict.fromkeys(set(recent) - known, time.monotonic() - HOLD_S)
        self.held: list[Told] = []

    def read(self) -> list[Told]:
        """New events, but for those behind an id that may still come."""
        now = time.monotonic()
        new = JobEvent.id > self.last
        wanted = new | JobEvent.id.in_(list(self.missing)) if self.missing else new
        for told in select(wanted, order=JobEvent.id):
            if told.id > self.last:
                gap = range(max(self.last + 1, told.id - LOOK_BACK), told.id)
                self.missing |= dict.fromkeys(gap, now)
                self.last = told.id
            else:
                self.missing.pop(told.id, None)
            self.held.append(told)
        self.missing = {id_: since for id_, since in self.missing.items() if now - since < FORGET_S}
        stop = min(
            (id_ for id_, since in self.missing.items() if now - since < HOLD_S), default=self.last + 1
        )
        self.held.sort(key=lambda told: told.id)
        ready = [told for told in self.held if told.id < stop]
        self.held = self.held[len(ready) :]
        return ready
