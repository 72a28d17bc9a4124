"""Fixtures that more than one folder of tests uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import services
from tests.webserver import WebServer
from tests.youtube import YouTube

FIXTURES = Path(__file__).parent / "fixtures"


def pytest_configure() -> None:
    """Give each of several processes of pytest its own servers."""
    if name := os.environ.get("PYTEST_XDIST_WORKER"):
        services.take_set(name)


def pytest_unconfigure() -> None:
    """Stop them."""
    services.leave_set()


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, where several processes share the tests, those that share a set-up that takes long."""
    for item in items:
        if shared := shared_by(item):
            item.add_marker(pytest.mark.xdist_group(shared))


def shared_by(item: pytest.Item) -> str:
    """The name of the dearest set-up that the test shares with others; empty if it shares none."""
    if not isinstance(item, pytest.Function):
        return ""
    definitions = item._fixtureinfo.name2fixturedefs
    scopes = {found[-1].scope: name for name, found in definitions.items() if found[-1].baseid}
    if name := scopes.get("session"):
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        return f"{name}-{parameters.get(name, '')}"
    return item.nodeid.partition("::")[0] if "module" in scopes else ""


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server on loopback with the fixtures: /talk/ is the page, /speech/jfk.flac eleven seconds."""
    with WebServer(FIXTURES) as server:
        yield server


@pytest.fixture
def youtube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> YouTube:
    """YouTube as each yt-dlp meets it that this test starts: empty yet, its videos sound like jfk.flac."""
    played = YouTube(tmp_path / "youtube", FIXTURES / "speech" / "jfk.flac")
    for name, value in played.environment.items():
        monkeypatch.setenv(name, value)
    return played


@pytest.fixture
def fresh_broker() -> Iterator[str]:
    """The URL of an empty virtual host of RabbitMQ."""
    with services.fresh_broker() as url:
        yield url


@pytest.fixture
def fresh_database() -> Iterator[str]:
    """The URL of an empty database of MariaDB or MySQL."""
    with services.fresh_database() as url:
        yield url


@pytest.fixture
def another_database() -> Iterator[str]:
    """The URL of a second one."""
    with services.fresh_database() as url:
        yield url


# They stand on the fixtures above so that the server is back before what is in it is dropped.
@pytest.fixture
def rabbitmq(fresh_broker: str) -> Iterator[services.Server]:
    """RabbitMQ itself, for a test that takes it away; it is back after the test."""
    with services.disturbed("rabbitmq") as server:
        yield server


@pytest.fixture
def mariadb(fresh_database: str) -> Iterator[services.Server]:
    """MariaDB itself, likewise."""
    with services.disturbed("mariadb") as server:
        yield server
