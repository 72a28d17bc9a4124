"""Statements as text, for what runs with every message: peewee takes longer to build one than to run it."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from app.models.base import database, is_sqlite

Rows = Sequence[tuple[Any, ...]]


def change(text: str, *values: Any) -> int:
    """Run a statement with a ? for each value and return how many rows it met; a dict becomes JSON."""
    return int(database.execute_sql(*_prepared(text, values)).rowcount)


def change_one(text: str, *values: Any) -> int | None:
    """As change(), of one row at most: the n of the LAST_INSERT_ID(n) in the statement; None: it met none."""
    cursor = database.execute_sql(*_prepared(text, values))
    return int(cursor.lastrowid) if cursor.rowcount else None


def find(text: str, *values: Any) -> Rows:
    """Run a query with a ? for each value, and return its rows; moment() reads those in them."""
    return list(database.execute_sql(*_prepared(text, values)).fetchall())


def later(text: str, *values: Any) -> None:
    """Run a statement with the transaction's next one, or its commit: nobody cares how many rows it meets."""
    if is_sqlite() or not database.in_transaction():
        change(text, *values)
    else:
        database.later(*_prepared(text, values))


def expect(unless_met: Exception, text: str, *values: Any) -> None:
    """Likewise one that must meet a row: where it meets none, that or the next statement raises the error."""
    if not is_sqlite() and database.in_transaction():
        database.later(*_prepared(text, values), unless_met)
    elif not change(text, *values):
        raise unless_met


def insert(table: str, columns: Sequence[str], *rows: Sequence[Any], unless_there: bool = False) -> None:
    """Add the rows, each with a value a column, likewise; unless_there: but for those whose key is taken."""
    ignoring = "INSERT OR IGNORE" if is_sqlite() else "INSERT IGNORE"
    verb = ignoring if unless_there else "INSERT"
    later(f"{verb} INTO {_values(table, columns, rows)}", *(value for row in rows for value in row))


def upsert(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], changes: Mapping[str, str]
) -> None:
    """Add the rows likewise; one whose id there is changes that instead: new.column is its own value."""
    own, clash = ("excluded.\\1", "CONFLICT (id) DO UPDATE SET") if is_sqlite() else NEW_IN_MYSQL
    assignments = ", ".join(f"{column} = {value}" for column, value in changes.items())
    text = f"INSERT INTO {_values(table, columns, rows)} ON {clash} {re.sub(NEW, own, assignments)}"
    later(text, *(value for row in rows for value in row))


NEW = re.compile(r"\bnew\.(\w+)")
NEW_IN_MYSQL = ("VALUES(\\1)", "DUPLICATE KEY UPDATE")


def _values(table: str, columns: Sequence[str], rows: Sequence[Any]) -> str:
    return f"{table} ({', '.join(columns)}) VALUES {', '.join([f'({marks(columns)})'] * len(rows))}"


def marks(values: Sequence[Any]) -> str:
    """A ? for each value, parted by commas."""
    return ", ".join("?" * len(values))


def moment(value: Any) -> datetime | None:
    """A moment as find() returns it, aware."""
    if value is None:
        return None
    return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).replace(tzinfo=UTC)


def _prepared(text: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    return text if is_sqlite() else _marked(text), [_stored(value) for value in values]


@lru_cache(maxsize=256)
def _marked(text: str) -> str:
    return text.replace("?", "%s")


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
