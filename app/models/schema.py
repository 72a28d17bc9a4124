"""Brings the tables up to date."""

import fcntl
from pathlib import Path

from playhouse.migrations import Runner

from app.config import Config
from app.errors import InvalidSetting
from app.models.base import connect, database

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def open_database(config: Config) -> None:
    """Bind the database and bring it up to date, or say how to."""
    connect(config.database())
    if config.auto_migrate:
        upgrade(config)
    elif missing := pending():
        raise InvalidSetting(f"The database lacks {', '.join(missing)}; run 'ytrag db upgrade'.")


def upgrade(config: Config) -> list[str]:
    """Apply the migrations that are missing, one process at a time, and return their names."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    with (config.data_dir / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return list(Runner(database.obj, str(MIGRATIONS)).up()) if pending() else []


def pending() -> list[str]:
    """Names of the migrations that are missing."""
    return [row.name for row in Runner(database.obj, str(MIGRATIONS)).status() if row.applied is None]
