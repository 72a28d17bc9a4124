"""Which jobs are meant: the filters that lists and bulk actions share."""

from dataclasses import dataclass

import peewee as pw

from app.models.batches import BatchEntry
from app.models.jobs import Job


@dataclass(frozen=True)
class Selection:
    """Jobs of the owner (None: everybody's) for which all conditions hold that are given.

    q is text in the URL or the name, in whatever case (SQLite: of ASCII); before is an id: only older jobs.
    """

    owner: str | None
    states: tuple[str, ...] = ()
    priority: int | None = None
    video_id: str | None = None
    error_code: str | None = None
    q: str | None = None
    batch_id: str | None = None
    before: str | None = None

    def apply(self, query: "pw.ModelSelect[Job]") -> "pw.ModelSelect[Job]":
        """The query narrowed to these jobs, newest first."""
        query = query.order_by(Job.id.desc())
        equal = {
            Job.owner: self.owner,
            Job.priority: self.priority,
            Job.video: self.video_id,
            Job.error_code: self.error_code,
        }
        for column, value in equal.items():
            query = query if value is None else query.where(column == value)
        if self.states:
            query = query.where(Job.state.in_(self.states))
        if self.q:
            text = pw.fn.LOWER(self.q)  # by the database, whose idea of case it has to be
            held = [pw.fn.INSTR(pw.fn.LOWER(column), text) > 0 for column in (Job.url, Job.name)]
            query = query.where(held[0] | held[1])
        if self.batch_id:
            entries = BatchEntry.select(BatchEntry.job).where(BatchEntry.batch == self.batch_id)
            query = query.where(Job.id.in_(entries))
        return query.where(Job.id < self.before) if self.before else query
