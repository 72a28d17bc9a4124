"""Measure speed and memory against the targets: python -m tests.load.bench [NAME …].

Prints the figures and writes them into docs/benchmarks.md. It only measures: a target that is missed is
said in the figures and is no failure.
"""

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.load import (
    accepting,
    backlog,
    counting,
    crowd,
    dashboard,
    end_to_end,
    engine,
    estimates,
    fairness,
    house,
    large_table,
    memory,
    overtaking,
    recogniser_memory,
    recogniser_settings,
    searches,
    submit,
    summary,
    transcription,
    workers,
)
from tests.load.machine import about
from tests.up import ROOT, Up

PAGE = ROOT / "docs" / "benchmarks.md"
Wanted = argparse.Namespace
MEASURES: dict[str, Callable[[Path, Wanted], list[str]]] = {
    "end-to-end": lambda folder, wanted: end_to_end.measure(folder, runs=wanted.runs, seconds=wanted.seconds),
    "transcription": lambda folder, wanted: transcription.measure(
        folder, runs=wanted.runs, seconds=wanted.seconds
    ),
    "workers": lambda folder, wanted: workers.measure(folder, runs=wanted.runs, seconds=wanted.seconds),
    "fairness": lambda folder, wanted: fairness.measure(folder, runs=wanted.runs),
    "recogniser-memory": lambda folder, _: recogniser_memory.measure(folder),
    "recogniser-settings": lambda folder, _: recogniser_settings.measure(folder),
    "estimates": lambda folder, _: estimates.measure(folder),
    "memory": lambda folder, _: memory.measure(folder),
    "engine": lambda folder, wanted: engine.measure(folder, jobs=wanted.jobs, runs=wanted.runs),
    "counting": lambda folder, wanted: counting.measure(folder, jobs=wanted.jobs, runs=wanted.runs),
    "overtaking": lambda folder, wanted: overtaking.measure(folder, jobs=wanted.waiting),
    "backlog": lambda folder, wanted: backlog.measure(folder, most=wanted.rows),
    "accepting": lambda folder, wanted: accepting.measure(folder, requests=wanted.requests, runs=wanted.runs),
    "large-table": lambda folder, wanted: large_table.measure(folder, jobs=wanted.rows),
    "submit": lambda folder, wanted: submit.measure(folder, requests=wanted.requests, seconds=wanted.seconds),
    "crowd": lambda folder, wanted: crowd.measure(folder, requests=wanted.requests),
    "dashboard": lambda folder, _: dashboard.measure(folder, jobs=50_000),
    "load": lambda folder, wanted: house.measure(folder, jobs=wanted.through, videos=wanted.videos),
    "searches": lambda folder, wanted: searches.measure(folder, requests=wanted.requests),
}
"""Each benchmark; its figures as Markdown."""


def main() -> None:
    """Run what the command line names; everything if it names nothing."""
    wanted = arguments()
    Up.recogniser = "packaged"
    for name in wanted.names or MEASURES:
        print(f"{name} …", flush=True)
        with tempfile.TemporaryDirectory(prefix="ytrag-bench-") as folder:
            lines = [*MEASURES[name](Path(folder), wanted), "", about()]
        print("\n".join(lines), flush=True)
        if not wanted.print_only:
            page = filled(PAGE.read_text(encoding="utf-8"), name, lines)
            PAGE.write_text(filled(page, "summary", summary.of(page)), encoding="utf-8")


def arguments() -> Wanted:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.bench", description="Measure speed and memory."
    )
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=f"{', '.join(MEASURES)}; default all")
    parser.add_argument("--runs", type=positive, default=5, help="runs of each side (default 5)")
    parser.add_argument("--seconds", type=positive, default=900, help="length of the recording (default 900)")
    parser.add_argument(
        "--requests",
        type=positive,
        default=200,
        help="requests of a run or a pace (default 200)",
    )
    parser.add_argument("--jobs", type=positive, default=2000, help="jobs of a run of engine (default 2000)")
    parser.add_argument("--waiting", type=positive, default=10_000, help="low ones ahead (default 10000)")
    parser.add_argument("--through", type=positive, default=10_000, help="no-op jobs of load (default 10000)")
    parser.add_argument("--videos", type=positive, default=200, help="tiny videos of load (default 200)")
    parser.add_argument(
        "--rows", type=positive, default=100_000, help="jobs of backlog and large-table (default 100000)"
    )
    parser.add_argument("--print-only", action="store_true", help=f"leave docs/{PAGE.name} as it is")
    wanted = parser.parse_args()
    if unknown := set(wanted.names) - set(MEASURES):
        parser.error(f"no benchmark is named {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    return wanted


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if (value := int(text)) < 1:
        raise ValueError
    return value


def filled(page: str, name: str, lines: list[str]) -> str:
    """The page with these lines between the benchmark's two marks."""
    start, end = f"<!-- {name}: written by make bench -->", f"<!-- /{name} -->"
    if not re.search(f"{start}.*{end}", page, re.DOTALL):
        raise ValueError(f"{PAGE} lacks the marks {start} and {end}")
    before, after = page.split(start)[0], page.split(end)[1]
    return "\n".join([before + start, *lines, end + after])


if __name__ == "__main__":
    main()
