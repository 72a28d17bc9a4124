"""The program in its two forms: all in one process, and production over RabbitMQ and MySQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.services import fresh_broker, fresh_database
from tests.up import Production, Up

FORMS = ("embedded", "production")


def start(form: str, folder: Path, stack: ExitStack, **settings: str) -> Up:
    """The program in this form, with a database and a vhost of its own, until the stack is left."""
    if form == "embedded":
        return stack.enter_context(Up(folder, **settings))
    database_url, broker_url = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
    return stack.enter_context(
        Production(folder, database_url=database_url, broker_url=broker_url, **settings)
    )


@pytest.fixture(scope="session", params=FORMS)
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A program with quick retries and small limits, shared by the tests that do not break it."""
    settings = {"RETRY_DELAYS_S": "0.2,0.2,0.2", "POLL_S": "0.2", "MAX_DURATION_S": "300"}
    settings["WEBHOOK_PRIVATE_ADDRESSES"] = "1"
    with ExitStack() as stack:
        yield start(request.param, tmp_path_factory.mktemp("up"), stack, **settings)


@pytest.fixture(params=FORMS)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Starts a program with the settings given; all are stopped at the end of the test."""
    number = count()
    with ExitStack() as stack:
        yield lambda **settings: start(request.param, tmp_path / str(next(number)), stack, **settings)
