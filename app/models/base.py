"""The database behind all rows: connection, transactions and the fields that differ between servers."""

import json
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import peewee as pw

from app.errors import InvalidSetting
from app.models.mysql import forget_connection, may_pass, open_mysql

database = pw.DatabaseProxy()
P = ParamSpec("P")
R = TypeVar("R")

PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "busy_timeout": 30_000}
PAUSES_S = (0.05, 0.2, 0.5, 1.0, 2.0)
"""Before each further try of a transaction."""

_local = threading.local()


def connect(url: str, *, connections: int = 20) -> None:
    """Bind all rows to the database at the URL; connections open themselves, one a thread."""
    scheme, _, path = url.partition(":///")
    if url.startswith("mysql://"):
        database.initialize(open_mysql(url, connections=connections))
    elif scheme == "sqlite" and path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        database.initialize(pw.SqliteDatabase(path, pragmas=PRAGMAS))
    else:
        raise InvalidSetting(
            f"YTRAG_DATABASE_URL is {url.partition('@')[2] or url!r}; "
            "it may be sqlite:///path/to/file.db or mysql://user:password@host:3306/database."
        )


def is_sqlite() -> bool:
    """Whether rows lie in a file of this machine."""
    return isinstance(database.obj, pw.SqliteDatabase)


def release() -> None:
    """Give this thread's connection back to the pool; SQLite's stay open, they cost nothing."""
    if not is_sqlite() and not database.is_closed():
        database.close()


def ping() -> None:
    """Ask the database for an answer, on a connection that this thread then gives back."""
    try:
        database.execute_sql("SELECT 1")
    finally:
        database.close()


def limit_statements(seconds: float) -> None:
    """Let no statement of this thread take longer from now on, where that can be told; 0: no limit."""
    if not is_sqlite():
        database.obj.limit_statements(seconds)


def forget() -> None:
    """Throw this thread's connection away."""
    if not is_sqlite():
        forget_connection(database.obj)


def transactional(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in one transaction, or in the one that is open; after_commit calls follow.

    A deadlock, or a server that went away, has the whole function run again, a few times: it must be
    written so that a transaction which was stored, though the answer got lost, does no harm a second time.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if database.in_transaction():
            return function(*args, **kwargs)
        for pause_s in PAUSES_S:
            try:
                return _run_once(function, *args, **kwargs)
            except (pw.OperationalError, pw.InterfaceError) as error:
                if is_sqlite() or not may_pass(error):
                    raise
                forget_connection(database.obj)
                time.sleep(pause_s * random.uniform(0.5, 1.5))
        return _run_once(function, *args, **kwargs)

    return run


def _run_once(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    _local.after = []
    with database.atomic("IMMEDIATE") if is_sqlite() else database.atomic():
        result = function(*args, **kwargs)
    for call in _local.after:
        call()
    return result


def after_commit(call: Callable[[], None]) -> None:
    """Call this once the transaction that is open now has been stored."""
    _local.after.append(call)


class MomentField(pw.DateTimeField):
    """Stores naive UTC with microseconds and returns aware UTC, the same on every server."""

    def db_value(self, value: datetime | None) -> str | None:
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

    def python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC)


class JsonField(pw.TextField):
    """A JSON text."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


class Row(pw.Model):
    """What all tables share."""

    class Meta:
        database = database
        legacy_table_names = False
