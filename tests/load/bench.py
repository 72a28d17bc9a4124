"""Measure speed and memory against the targets: python -m tests.load.bench [NAME …].

Prints the figures and writes them into docs/benchmarks.md. It only measures: a target that is missed is
said in the figures and is no failure.
"""

import argparse
import re
import tempfile
from pathlib import Path

from tests.load import crowd, end_to_end, memory, searches, submit
from tests.load.machine import about
from tests.up import ROOT

NAMES = ("end-to-end", "memory", "submit", "crowd", "searches")
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Run what the command line names; everything if it names nothing."""
    wanted = arguments()
    for name in wanted.names or NAMES:
        print(f"{name} …", flush=True)
        with tempfile.TemporaryDirectory(prefix="ytrag-bench-") as folder:
            lines = [*figures(name, Path(folder), wanted), "", about()]
        print("\n".join(lines), flush=True)
        if not wanted.print_only:
            PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), name, lines), encoding="utf-8")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.bench", description="Measure speed and memory."
    )
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=f"{', '.join(NAMES)}; default all")
    parser.add_argument("--runs", type=positive, default=5, help="pairs of runs of end-to-end (default 5)")
    parser.add_argument("--seconds", type=positive, default=600, help="length of the recording (default 600)")
    parser.add_argument(
        "--requests",
        type=positive,
        default=200,
        help="requests of submit, a pace, and of searches, a way (default 200)",
    )
    parser.add_argument("--print-only", action="store_true", help=f"leave docs/{PAGE.name} as it is")
    wanted = parser.parse_args()
    if unknown := set(wanted.names) - set(NAMES):
        parser.error(f"no benchmark is named {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return wanted


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if (value := int(text)) < 1:
        raise ValueError
    return value


def figures(name: str, folder: Path, wanted: argparse.Namespace) -> list[str]:
    """Run one benchmark; its figures as Markdown."""
    if name == "end-to-end":
        return end_to_end.measure(folder, runs=wanted.runs, seconds=wanted.seconds)
    if name == "submit":
        return submit.measure(folder, requests=wanted.requests, seconds=wanted.seconds)
    if name == "crowd":
        return crowd.measure(folder, requests=wanted.requests)
    if name == "searches":
        return searches.measure(folder, requests=wanted.requests)
    return memory.measure(folder)


def filled(page: str, name: str, lines: list[str]) -> str:
    """The page with these lines between the benchmark's two marks."""
    start, end = f"<!-- {name}: written by make bench -->", f"<!-- /{name} -->"
    if not re.search(f"{start}.*{end}", page, re.DOTALL):
        raise ValueError(f"{PAGE} lacks the marks {start} and {end}")
    before, after = page.split(start)[0], page.split(end)[1]
    return "\n".join([before + start, *lines, end + after])


if __name__ == "__main__":
    main()
