"""Brings the tables up to date."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner

from app.config import Config
from app.errors import InvalidSetting
from app.models.base import connect, database, is_sqlite

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def open_database(config: Config) -> None:
    """Bind the database and bring it up to date, or say how to."""
    connect(config.database(), connections=config.database_pool)
    _check_version()
    if config.auto_migrate:
        upgrade(config)
    elif missing := pending():
        raise InvalidSetting(f"The database lacks {', '.join(missing)}; run 'ytrag db upgrade'.")


def upgrade(config: Config) -> list[str]:
    """Apply the migrations that are missing, one process at a time, and return their names."""
    with _alone(config):
        return list(Runner(database.obj, str(MIGRATIONS)).up()) if pending() else []


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Hold up every other process that wants to change the tables."""
    if is_sqlite():
        config.data_dir.mkdir(parents=True, exist_ok=True)
        with (config.data_dir / "migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    else:
        database.execute_sql("SELECT GET_LOCK('ytrag_migrate', 60)")
        try:
            yield
        finally:
            database.execute_sql("SELECT RELEASE_LOCK('ytrag_migrate')")


def _check_version() -> None:
    """InvalidSetting unless the server knows SKIP LOCKED: MySQL from 8.0, MariaDB from 10.6."""
    if is_sqlite():
        return
    told = str(database.execute_sql("SELECT VERSION()").fetchone()[0])
    least = (10, 6) if "maria" in told.lower() else (8, 0)
    numbers = tuple(int(part) for part in re.findall(r"\d+", told)[:2])
    if numbers < least:
        raise InvalidSetting(
            f"YTRAG_DATABASE_URL leads to version {told}; it may be MySQL 8.0 or MariaDB 10.6 up."
        )


def pending() -> list[str]:
    """Names of the migrations that are missing."""
    return [row.name for row in Runner(database.obj, str(MIGRATIONS)).status() if row.applied is None]
