"""What counting costs: jobs a second whose stages do nothing, with our metrics and with none, in turns."""

from pathlib import Path
from statistics import median

from tests.load.engine import ours
from tests.load.tables import spread, table

TARGET = 0.95


def measure(folder: Path, *, jobs: int, runs: int) -> list[str]:
    """Run both in turns and return the figures as Markdown."""
    found: dict[str, list[float]] = {"with metrics": [], "without": []}
    for number in range(runs):
        for name, per_s in found.items():
            place = folder / f"{name}{number}"
            place.mkdir()
            blind = {"BENCH_BLIND": "1"} if name == "without" else {}
            per_s.append(ours(place, jobs, **blind).jobs_per_s)
            print(f"{name}: {per_s[-1]:.1f}", flush=True)
    ratios = [a / b for a, b in zip(found["with metrics"], found["without"], strict=True)]
    verdict = "met" if median(ratios) >= TARGET else "missed"
    return [
        f"Jobs a second with metrics over without: **{spread(ratios, 3)}**; target ≥ {TARGET}: {verdict}.",
        "",
        *table(("six stages that do nothing", "jobs a second"), [(n, spread(s)) for n, s in found.items()]),
    ]
