"""What `ytrag serve` holds in memory before its first search, and whether it has imported what is heavy."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.load.tables import table
from tests.load.trees import memory_mb, tree
from tests.up import Up

TARGET_MB = 120
HEAVY = ("torch", "faster_whisper", "sentence_transformers")
ROUNDS = 20


def measure(folder: Path) -> list[str]:
    """Start it, have it answer, and return the figures as Markdown."""
    with used(folder / "plain") as serve:
        held = {pid: memory_mb(pid) for pid in tree(serve.process.pid)}
    names = ["master", *(f"worker {number}" for number in range(1, len(held)))]
    rss, pss = (sum(sizes) for sizes in zip(*held.values(), strict=True))
    rows = [
        (name, f"{sizes[0]:.1f}", f"{sizes[1]:.1f}") for name, sizes in zip(names, held.values(), strict=True)
    ]
    target = f"target ≤ {TARGET_MB} MB: {'met' if rss <= TARGET_MB else 'missed'}"
    return [
        f"Resident, all processes of `ytrag serve`: **{rss:.1f} MB** (Rss; Pss {pss:.1f} MB); {target}.",
        "",
        *table(("process", "Rss, MB", "Pss, MB"), rows),
        "",
        f"Imported of {', '.join(HEAVY)}: {', '.join(heavy_imports(folder / 'told')) or 'none'}.",
    ]


@contextmanager
def used(folder: Path) -> Iterator[Up]:
    """A server that has answered everything but a search."""
    with Up(folder, command="serve") as serve:
        for number in range(ROUNDS):
            job = serve.client.submit(f"http://127.0.0.1/{number}.mp4")
            serve.client.status(job.job_id)
            serve.client.jobs()
            serve.client.videos()
        yield serve


def heavy_imports(folder: Path) -> list[str]:
    """Which of the heavy libraries such a server imports, as Python itself tells."""
    with patch.dict(os.environ, PYTHONPROFILEIMPORTTIME="1"), used(folder) as serve:
        told = serve.log.read_text()
    imported = set(re.findall(r"^import time: .*\| +(\w+)$", told, re.MULTILINE))
    if "flask" not in imported:
        raise RuntimeError("Python did not tell what it imports.")
    return [name for name in HEAVY if name in imported]
