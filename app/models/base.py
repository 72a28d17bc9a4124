"""The database behind all rows: connection, transactions and the fields that differ between servers."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import peewee as pw

from app.errors import InvalidSetting

database = pw.DatabaseProxy()
P = ParamSpec("P")
R = TypeVar("R")

_local = threading.local()


def connect(url: str) -> None:
    """Bind all rows to the database at the URL; connections open themselves, one a thread."""
    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or not path:
        raise InvalidSetting(f"YTRAG_DATABASE_URL is {url!r}; it may be sqlite:///path/to/file.db.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    database.initialize(
        pw.SqliteDatabase(
            path,
            pragmas={"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "busy_timeout": 30_000},
        )
    )


def transactional(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in one transaction, or in the one that is open; after_commit calls follow."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if database.in_transaction():
            return function(*args, **kwargs)
        _local.after = []
        with database.atomic("IMMEDIATE"):
            result = function(*args, **kwargs)
        for call in _local.after:
            call()
        return result

    return run


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
