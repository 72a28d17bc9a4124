"""What processes and all their children cost, as Linux counts it."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS_S = 1 / os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> Iterator[int]:
    """The process and all that it started and that still runs."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from tree(int(child))


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process, 10^6 bytes: with all pages that it shares, and with its part of them."""
    rows = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    size = {row[0]: int(row[1]) * 1024 / 1e6 for row in rows if row[-1] == "kB"}
    return size["Rss:"], size["Pss:"]


def peak_mb(pid: int) -> float:
    """The most resident memory that the process has had, 10^6 bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))


def used_s(*pids: int) -> float:
    """Processor seconds that these processes took so far, with children that ended."""
    ticks = 0
    for pid in (one for top in pids for one in tree(top)):
        ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks * TICKS_S


def busy_s() -> float:
    """Processor seconds that the whole machine took so far."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) * TICKS_S


def recognisers(pid: int) -> list[int]:
    """The processes below this one that recognise speech."""
    served = b"\0--serve\0asr\0"
    return [one for one in tree(pid) if served in Path(f"/proc/{one}/cmdline").read_bytes()]
