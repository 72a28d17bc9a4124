"""How old the installed yt-dlp is, whether a newer one is to be had, and its JavaScript runtime."""

import importlib.metadata
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import deno

from app import clock

PACKAGE = "yt-dlp"
OLD_DAYS = 60
ASK_TIMEOUT_S = 60
UPDATE = f"{sys.executable} -m pip install --upgrade {PACKAGE} yt-dlp-ejs"
"""The next download uses it: nothing has to be started again."""


@dataclass(frozen=True)
class Release:
    """A version of yt-dlp, which is the day on which it was made."""

    version: str

    @property
    def order(self) -> tuple[int, ...]:
        """Greater for newer ones."""
        return tuple(int(number) for number in re.findall(r"\d+", self.version))

    @property
    def age_days(self) -> int:
        """Whole days since it was made."""
        year, month, day = self.order[:3]
        return (clock.now() - datetime(year, month, day, tzinfo=UTC)).days


@dataclass(frozen=True)
class Updates:
    """What is installed, and the newest there is; trouble says why that is not known."""

    installed: Release
    newest: Release | None
    trouble: str = ""

    @property
    def is_newer_to_be_had(self) -> bool:
        """Whether an update would change anything."""
        return self.newest is not None and self.newest.order > self.installed.order


def installed() -> Release:
    """The yt-dlp that the next download uses."""
    return Release(importlib.metadata.version(PACKAGE))


def updates() -> Updates:
    """Ask the index that pip is set up for, which may be a company's own; takes seconds."""
    command = [sys.executable, "-m", "pip", "index", "versions", PACKAGE, "--disable-pip-version-check"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return Updates(installed(), None, f"pip got no answer within {ASK_TIMEOUT_S} s.")
    found = re.search(rf"^{PACKAGE} \(([\d.]+)\)", done.stdout, re.MULTILINE)
    if found is None:
        complaints = re.sub(r"//[^/@\s]+@", "//", done.stderr).strip().splitlines()
        return Updates(installed(), None, complaints[-1] if complaints else "pip did not say.")
    return Updates(installed(), Release(found[1]))


@dataclass(frozen=True)
class Runtime:
    """The JavaScript runtime, the least version that yt-dlp takes, and the version of its programs for it."""

    version: str
    least: str
    suffices: bool
    scripts: str


def runtime() -> Runtime | None:
    """What downloads from YouTube use; None where it does not run."""
    from yt_dlp.utils._jsruntime import DenoJsRuntime

    found = DenoJsRuntime(path=deno.find_deno_bin()).info
    if found is None:
        return None
    least = ".".join(str(part) for part in DenoJsRuntime.MIN_SUPPORTED_VERSION)
    scripts = importlib.metadata.version("yt-dlp-ejs")
    return Runtime(found.version, least, bool(found.supported), scripts)
