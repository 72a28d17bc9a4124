"""How the API alone starts, or does not."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.up import Up


def test_serve_ends_with_a_sentence_that_says_how_to_make_a_key_where_there_is_none(tmp_path: Path) -> None:
    up = Up(tmp_path, "serve", ENV="production")

    with pytest.raises(RuntimeError, match=r"ytrag serve: .* make one with 'ytrag keys create NAME"):
        up.start()

    assert up.process.returncode not in (0, None)
    assert "Traceback" not in up.log.read_text()


def test_an_api_that_died_is_started_again_on_its_port_while_somebody_listens_to_events(
    tmp_path: Path,
) -> None:
    with (
        Up(tmp_path, "serve") as up,
        httpx.stream("GET", f"{up.client.server}/api/events", timeout=60) as told,
    ):
        os.kill(up.process.pid, signal.SIGKILL)
        for (
            _
        ) in told.iter_lines():  # the listener is let go; else it would hear heart beats until it is cut off
            pass
        up.kill()
        up.start()
