"""Looks into the program's database from outside."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.constants import CLIENT

Query = Callable[..., list[tuple[Any, ...]]]


@contextmanager
def rows(database_url: str) -> Iterator[Query]:
    """A function that runs a query (parameters as ?) and returns all rows, seeing each commit at once.

    On a server it may be several, parted by ;, of which the first one's rows are returned.
    """
    connection: Any
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.partition(":///")[2], isolation_level=None, timeout=30)
    else:
        parts = urlsplit(database_url)
        connection = pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/"),
            autocommit=True,
            ssl_disabled=True,  # reading the system's certificates takes 33 ms
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
    mark = "?" if database_url.startswith("sqlite") else "%s"

    def query(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        cursor = connection.cursor()
        # Without parameters a % in the query is a % for either driver.
        cursor.execute(sql.replace("?", mark), *([parameters] if parameters else []))
        found = list(cursor.fetchall())
        cursor.close()
        return found

    with closing(connection):
        yield query


def broken_promises(query: Query) -> list[str]:
    """What is wrong in a house in which all is said to be done; empty when every promise was kept.

    Every job ended; each stage's result stored once; one event an end; no lease left; nothing unsent.
    """
    checks = {
        "jobs that have not ended": (
            "SELECT id, state FROM job WHERE state NOT IN ('completed', 'failed', 'cancelled')"
        ),
        "stages left running": "SELECT job_id, name FROM job_stage WHERE state = 'running'",
        "leases left": (
            "SELECT job_id, name FROM job_stage WHERE lease_until IS NOT NULL "
            "UNION SELECT job_id, 'chunk' FROM chunk WHERE lease_until IS NOT NULL"
        ),
        "unsent messages": "SELECT target FROM outbox",
        "jobs with more or fewer than one end": (
            "SELECT job_id, COUNT(*) FROM job_event WHERE type IN ('completed', 'failed', 'cancelled') "
            "GROUP BY job_id HAVING COUNT(*) <> 1"
        ),
        "stages completed twice": (
            "SELECT job_id, payload, COUNT(*) FROM job_event WHERE type = 'stage' "
            "AND payload LIKE '%\"completed\"%' GROUP BY job_id, payload HAVING COUNT(*) > 1"
        ),
        "completed jobs with a stage undone": (
            "SELECT s.job_id, s.name, s.state FROM job_stage s JOIN job j ON j.id = s.job_id "
            "WHERE j.state = 'completed' AND s.state NOT IN ('completed', 'skipped')"
        ),
        "videos with segments of two revisions": (
            "SELECT s.id FROM segment s JOIN video v ON v.id = s.video_id "
            "WHERE v.revision IS NOT NULL AND s.revision <> v.revision"
        ),
        "events with a gap": (
            "SELECT job_id, MAX(seq), COUNT(*) FROM job_event GROUP BY job_id HAVING MAX(seq) <> COUNT(*)"
        ),
    }
    found = {name: query(sql) for name, sql in checks.items()}
    return [f"{name}: {rows}" for name, rows in found.items() if rows]
