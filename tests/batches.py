"""Runs the program against a played YouTube, follows a batch, and runs commands beside it."""

import subprocess
import sys
import time
from collections.abc import Callable

from app.batch_schemas import BatchDetailAnswer
from app.client import Client
from tests.up import ROOT, Up

SPACING_S = 0.5
SETTINGS = {
    "ALLOWED_SOURCES": "youtube.com",
    "DOWNLOAD_SPACING_S": str(SPACING_S),
    "WORKERS_IO": "1x4",
    "DOWNLOADS_PER_SOURCE": "3",
    "POLL_S": "0.2",
}


def wait(
    client: Client, batch_id: str, until: Callable[[BatchDetailAnswer], bool], timeout_s: float = 240
) -> BatchDetailAnswer:
    """Look at the batch until it is so, and return it."""
    give_up = time.monotonic() + timeout_s
    while not until(found := client.batch(batch_id, limit=200)):
        assert time.monotonic() < give_up, found.counts
        time.sleep(0.2)
    return found


def ended(found: BatchDetailAnswer) -> bool:
    """Whether nothing of it is left to do."""
    return found.status in ("completed", "failed")


def ytrag(up: Up, *arguments: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "app.cli.main", *arguments]
    done = subprocess.run(command, env=up.environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
