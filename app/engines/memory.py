"""How much memory a model may take: what the settings allow and what there is."""

from pathlib import Path

from app import config
from app.errors import ModelTooLarge

WORK_BYTES = 500 * 10**6
"""What recognition needs beyond the weights, measured (docs/benchmarks.md)."""


def refuse_more_than_there_is(source: str, name: str) -> None:
    """ModelTooLarge where a model in this folder would bring the machine into want of memory."""
    weights = Path(source) / "model.bin"
    if not weights.is_file():  # on the hub: its size is not known before it is here
        return
    needs, may = (
        weights.stat().st_size + WORK_BYTES,
        config.current().whisper_memory_bytes or available_bytes(),
    )
    if may is not None and needs > may:
        raise ModelTooLarge(
            f"The model {name} needs {needs / 1e6:.0f} MB of memory; {may / 1e6:.0f} MB may be taken."
        )


def available_bytes() -> int | None:
    """Memory that is free here, in the machine and in the container; None where nothing tells."""
    found = [size for size in (_in_machine(), _in_container()) if size is not None]
    return min(found) if found else None


def _in_machine() -> int | None:
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _in_container() -> int | None:
    """cgroup v2: the limit without what is used, whose file cache can be given back."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used, stat = int((folder / "memory.current").read_text()), (folder / "memory.stat").read_text()
    except OSError:
        return None
    if limit == "max":
        return None
    cache = next((int(line.split()[1]) for line in stat.splitlines() if line.startswith("inactive_file ")), 0)
    return int(limit) - used + cache
