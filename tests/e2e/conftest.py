"""One running program for the tests that do not kill it."""

from collections.abc import Iterator

import pytest

from tests.up import Up


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A program with quick retries and small limits, shared by many tests."""
    settings = {"RETRY_DELAYS_S": "0.2,0.2,0.2", "POLL_S": "0.2"}
    with Up(tmp_path_factory.mktemp("up"), MAX_DURATION_S="300", **settings) as program:
        yield program
