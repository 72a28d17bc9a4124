"""Fixtures that more than one folder of tests uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webserver import WebServer

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server on loopback with the fixtures: /talk/ is the page, /speech/jfk.flac eleven seconds."""
    with WebServer(FIXTURES) as server:
        yield server
