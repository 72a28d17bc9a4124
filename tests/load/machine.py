"""On what a figure was measured."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("faster-whisper", "ctranslate2", "sentence-transformers", "torch", "yt-dlp", "gunicorn")


def about() -> str:
    """The day, the machine and the versions of what decides over speed, in one sentence."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal: +(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}",
        model[1] if model else platform.machine(),
        f"{len(os.sched_getaffinity(0))} cores",
        f"{int(memory[1]) / 1024**2 if memory else 0:.0f} GiB",
        f"{platform.system()} {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in LIBRARIES),
    )
    return f"Measured: {', '.join(facts)}."
