"""RabbitMQ and MariaDB for tests: a fresh virtual host or database, and servers that may be killed.

They are those that deploy/services.sh started, or that the YTRAG_TEST_… URLs name. Where there are none, what
needs one is skipped, and fails where CI is set. tests/conftest.py makes fixtures of it. Processes of pytest
that run side by side (pytest -n) have a set of servers each, so that none takes away what another stands on.
"""

import functools
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
import pytest

from tests.rows import rows

SCRIPT = Path(__file__).parents[1] / "deploy/services.sh"
BROKER = "YTRAG_TEST_BROKER_URL"
MANAGEMENT = "YTRAG_TEST_BROKER_MANAGEMENT_URL"
BROKER_METRICS = "YTRAG_TEST_BROKER_METRICS_URL"
DATABASE = "YTRAG_TEST_DATABASE_URL"
SET = "YTRAG_SERVICES_SET"


def broker_url() -> str | None:
    """RabbitMQ's URL, user and password included, or None where there is none."""
    return _urls().get(BROKER)


def management_url() -> str | None:
    """The URL of RabbitMQ's management, likewise."""
    return _urls().get(MANAGEMENT)


def broker_metrics() -> str:
    """Host and port at which RabbitMQ tells its metrics."""
    return urlsplit(_needed(BROKER_METRICS)).netloc


def database_url() -> str | None:
    """MariaDB's or MySQL's URL, likewise."""
    return _urls().get(DATABASE)


@contextmanager
def fresh_broker() -> Iterator[str]:
    """The URL of an empty virtual host that goes with the block, and all its queues with it."""
    url, name = _needed(BROKER), _fresh_name()
    one_each = httpx.Limits(max_keepalive_connections=0)  # the server may be another one by the time we end
    with httpx.Client(base_url=_needed(MANAGEMENT), timeout=30, limits=one_each) as management:
        management.put(f"/api/vhosts/{name}").raise_for_status()
        try:
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            user = urlsplit(url).username
            management.put(f"/api/permissions/{name}/{user}", json=everything).raise_for_status()
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            management.delete(f"/api/vhosts/{name}").raise_for_status()


@contextmanager
def fresh_database() -> Iterator[str]:
    """The URL of an empty database that goes with the block."""
    url, name = _needed(DATABASE), _fresh_name()
    execute(url, f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        execute(url, f"DROP DATABASE {name}")


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement, or several parted by ;, on a connection of its own; the first one's rows."""
    with rows(url) as query:
        return query(statement)


@dataclass(frozen=True)
class Server:
    """A server of deploy/services.sh, for tests that take it away; those of the environment are let be."""

    name: str

    def stop(self) -> None:
        """Ask it to end, and wait until it has: RabbitMQ takes six seconds."""
        self._control("stop")

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._control("kill")

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers; what was stored is there again."""
        self._control("start")

    def pause(self) -> None:
        """Make it silent: connections stay open and nothing answers."""
        self._control("pause")

    def resume(self) -> None:
        """Let it go on after pause()."""
        self._control("resume")

    def _control(self, action: str) -> None:
        done = subprocess.run([SCRIPT, action, self.name], capture_output=True, text=True, timeout=120)
        if done.returncode == 69:
            _do_without(done.stderr.strip())
        assert done.returncode == 0, done.stderr


@contextmanager
def disturbed(name: str) -> Iterator[Server]:
    """A server that runs again after the block, whatever is done to it inside."""
    _needed(BROKER if name == "rabbitmq" else DATABASE)
    server = Server(name)
    server.start()
    try:
        yield server
    finally:
        server.start()


def _needed(variable: str) -> str:
    return _urls().get(variable) or _do_without(f"{variable} is not set and `make services` has not been run")


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _urls() -> dict[str, str]:
    """What the script started, else what the environment names."""
    named = {
        name: os.environ[name]
        for name in (BROKER, MANAGEMENT, BROKER_METRICS, DATABASE)
        if os.environ.get(name)
    }
    return named | started(SCRIPT)


@functools.cache
def started(script: Path) -> dict[str, str]:
    """The URLs of what the script started, so that an editor can run a test without `eval`."""
    if SET in os.environ:
        subprocess.run(
            [script, "up"], stdout=subprocess.DEVNULL, timeout=600
        )  # what fails is told by who needs it
    exports = subprocess.run([script, "env"], capture_output=True, text=True, check=True, timeout=30).stdout
    return dict(re.findall(r"^export (\w+)=(.+)$", exports, re.MULTILINE))


def take_set(name: str) -> None:
    """Have this process use servers of its own, which start when the first test needs them."""
    os.environ[SET] = name


def leave_set() -> None:
    """Stop them, if any test needed them: at once, for pytest-xdist ends a process that takes 10 s for it."""
    if SET in os.environ and started.cache_info().currsize:
        subprocess.run([SCRIPT, "down", "--now"], stdout=subprocess.DEVNULL, check=True, timeout=120)


def _fresh_name() -> str:
    return f"ytrag_test_{secrets.token_hex(6)}"
