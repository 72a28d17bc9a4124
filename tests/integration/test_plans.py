"""How the database's server finds what lists and statuses show, whatever the table's size."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import peewee as pw
import pytest
from flask.testing import FlaskClient

from app.models.base import database
from app.services.keys import LOCAL
from tests.jobrows import add_jobs

ON_A_SERVER = pytest.mark.parametrize("settings", ["mysql"], indirect=True)
JOBS = 3000
FEW = JOBS // 5
"""Rows of one table that a statement may be expected to read: a tenth of the jobs waits, a page shows 50."""


@ON_A_SERVER
@pytest.mark.parametrize(
    "path",
    [
        "/api/jobs/{done}/status",
        "/api/jobs/{waiting}/status",
        "/api/jobs/active",
        "/api/jobs",
        "/api/jobs?status=failed",
        "/api/jobs?cursor={done}",
    ],
)
def test_statuses_and_lists_read_by_indexes_and_few_rows(api: FlaskClient, path: str) -> None:
    ids = add_jobs(JOBS, LOCAL.owner)
    database.execute_sql("ANALYZE TABLE job, job_stage, message")

    with statements() as seen:
        answer = api.get(path.format(done=ids[JOBS // 2], waiting=ids[JOBS // 2 + 9]))

    assert answer.status_code == 200
    plans = [step for statement in seen for step in explained(statement)]
    assert plans
    assert [step for step in plans if not step.is_by_index()] == []


class Step(NamedTuple):
    """How the server means to read one table for a statement."""

    statement: str
    table: str
    key: str | None
    rows: int
    extra: str

    def is_by_index(self) -> bool:
        """Few rows, or by an index whose order lets the page's limit end it early."""
        ends_early = "LIMIT" in self.statement and "filesort" not in self.extra
        return self.rows <= FEW or (self.key is not None and ends_early)


@contextmanager
def statements() -> Iterator[list[tuple[str, object]]]:
    """The queries that run meanwhile."""
    seen: list[tuple[str, object]] = []

    def note(event: pw.QueryEvent) -> None:
        if event.sql.startswith("SELECT"):
            seen.append((event.sql, event.params))

    hooks: list[object] = database.obj.query_hooks
    hooks.append(note)
    try:
        yield seen
    finally:
        hooks.remove(note)


def explained(statement: tuple[str, object]) -> list[Step]:
    """What the server tells of each table that the statement reads."""
    text, values = statement
    cursor = database.execute_sql(f"EXPLAIN {text}", values)
    names = [column[0] for column in cursor.description]
    told = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [
        Step(text, step["table"], step["key"], int(step["rows"] or 0), step["Extra"] or "")
        for step in told
        if step["table"]
    ]
