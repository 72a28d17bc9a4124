"""A house of its own for each test: settings, database, files and a clock that stands still."""

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import clock, config
from app.config import Config
from app.models import schema
from app.models.base import database
from app.web.application import create_app
from tests import services


class StoppedClock(clock.Clock):
    """Stands at a moment until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_s(self, seconds: float) -> None:
        """Let so much time go by."""
        self.moment += timedelta(seconds=seconds)


@functools.cache
def our_tables() -> str:
    """The statements that make at once the tables that the migrations make one after the other."""
    with services.fresh_database() as url:
        schema.open_database(Config(database_url=url))
        database.close()
        names = [name for (name,) in services.execute(url, "SHOW TABLES")]
        made = [services.execute(url, f"SHOW CREATE TABLE {name}")[0][1] for name in names]
        applied = services.execute(url, "SELECT * FROM schema_migration")
    noted = ", ".join(str(tuple(map(str, row))) for row in applied)
    return ";".join(
        ["SET foreign_key_checks = 0", *map(str, made), f"INSERT INTO schema_migration VALUES {noted}"]
    )


@pytest.fixture
def migrated_database(fresh_database: str) -> str:
    """The URL of a database of MariaDB or MySQL with all tables, and nothing in them."""
    services.execute(fresh_database, our_tables())
    return fresh_database


@pytest.fixture(params=["sqlite", "mysql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """The settings of the test, once a database."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("migrated_database")
    allowed = ("www.youtube.com", "youtu.be", "127.0.0.1")
    return Config(data_dir=tmp_path / "var", allowed_sources=allowed, database_url=url)


@pytest.fixture
def house(settings: Config) -> Iterator[Config]:
    """An empty database and folder, bound to this process."""
    config.use(settings)
    schema.open_database(settings)
    yield settings
    database.close()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    """The clock of the house."""
    stopped = StoppedClock()
    monkeypatch.setattr(clock, "clock", stopped)
    return stopped


@pytest.fixture
def api(house: Config) -> Iterator[FlaskClient]:
    """The HTTP door, without a network."""
    with create_app(house).test_client() as client:
        yield client
