"""Prometheus, Alertmanager and squid of Debian, which deploy/services.sh installs where they are missing."""

import functools
import os
import subprocess
from pathlib import Path

import pytest

from tests.services import SCRIPT


@functools.cache
def needed() -> None:
    """Skip the test, or fail it in CI, where they are not to be had."""
    done = subprocess.run([SCRIPT, "tools"], capture_output=True, text=True, timeout=300)
    if done.returncode == 69 and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool or amtool."""
    needed()
    return subprocess.run(list(command), capture_output=True, text=True, timeout=180)
