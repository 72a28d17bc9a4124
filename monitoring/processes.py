"""Metrics of several processes behind one port: each writes files into a folder, and one serves them all."""

import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""What prometheus_client reads when it is first imported."""

PLACE = "PROMETHEUS_MULTIPROC_PLACE"
"""Ours: the name of a process's files, in place of its id. Whoever follows in its place counts on in them,
so that restarts leave no files behind, and no counter of theirs falls."""


def fresh_folder(host: str, port: int) -> Path:
    """An empty folder for the processes behind the port; OSError where others answer there: it is theirs."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OSError(f"YTRAG_METRICS_PORT {port}: {error.strerror}") from error
    folder = Path(tempfile.gettempdir()) / f"ytrag-metrics-{os.getuid()}-{port}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def environment(folder: Path, place: str) -> Mapping[str, str]:
    """What the process in this place is to be started with."""
    return {FOLDER: str(folder), PLACE: place}


def registry(folder: Path) -> CollectorRegistry:
    """The sums of what all processes wrote, read anew at each scrape."""
    sums = CollectorRegistry()
    MultiProcessCollector(sums, path=str(folder))  # type: ignore[no-untyped-call]  # not annotated
    return sums


def forget_living(folder: Path, place: str) -> None:
    """Drop what a process said of the present, once it has ended; what it counted stays."""
    for file in folder.glob(f"gauge_live*_{place}.db"):
        file.unlink(missing_ok=True)
