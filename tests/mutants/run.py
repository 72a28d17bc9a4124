"""Break the program, once a mutant, and see the named test fail: python -m tests.mutants.run [TEXT …].

Each is made in a copy of the tree. A test counts as having caught it if it fails by an assertion of its own,
not by an error, and passes without it. With texts: only mutants whose names hold one of them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.load.tables import table
from tests.mutants.table import MUTANTS, Mutant
from tests.services import SCRIPT, started
from tests.up import ROOT

BY_ASSERTION = ("AssertionError", "assert ", "Failed: DID NOT RAISE")


@dataclass(frozen=True)
class Outcome:
    """What became of a run: tests that passed, that failed by assertion, and complaints about all else."""

    passed: int
    failed: int
    others: tuple[str, ...]
    took_s: float


def main(wanted: Sequence[str]) -> int:
    """Print the table; 0 if every mutant was caught."""
    chosen = [mutant for mutant in MUTANTS if not wanted or any(text in mutant.name for text in wanted)]
    with tempfile.TemporaryDirectory(prefix="ytrag-mutants-") as folder:
        tree = copied(Path(folder) / "tree")
        whole = run(tree, *sorted({mutant.test for mutant in chosen}))
        if whole.failed or whole.others or not whole.passed:
            print("Without any mutant the tests do not pass:", *whole.others, sep="\n")
            return 1
        print(f"Without any mutant {whole.passed} tests pass, in {whole.took_s:.0f} s.", flush=True)
        rows = [row(mutant, mutated(tree, mutant)) for mutant in chosen]
    caught = sum(verdict == "caught" for _, _, verdict, _ in rows)
    print(*table(("mutant", "test that has to catch it", "verdict", "seconds"), rows), sep="\n")
    print(f"{caught} of {len(rows)} caught.")
    return int(caught < len(rows))


def copied(tree: Path) -> Path:
    """The working tree as it is, without what git ignores."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return tree


def mutated(tree: Path, mutant: Mutant) -> Outcome:
    """Break the copy, run the test, and mend it again."""
    file = tree / mutant.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return run(tree, mutant.test)
    finally:
        file.write_text(whole, encoding="utf-8")


def run(tree: Path, *tests: str) -> Outcome:
    """Run the tests as they stand in the tree, with our servers."""
    report, began = tree / "report.xml", time.monotonic()
    report.unlink(missing_ok=True)
    # No compiled files: Python tells a mutant from what it was made of by its second and its size only.
    paths = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, **started(SCRIPT), **paths}, capture_output=True, text=True
    )
    if not report.exists():
        return Outcome(0, 0, (done.stdout + done.stderr,), time.monotonic() - began)
    return judged(ET.parse(report), time.monotonic() - began)


def judged(report: "ET.ElementTree[ET.Element]", took_s: float) -> Outcome:
    """Of pytest's report, what tells a test that noticed from one that merely broke."""
    passed, failed, others = 0, 0, []
    for case in report.iter("testcase"):
        bad = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        if bad is None:
            passed += 1
        elif bad.tag == "failure" and bad.get("message", "").startswith(BY_ASSERTION):
            failed += 1
        else:
            others.append(f"{case.get('name')}: {bad.tag}: {bad.get('message')}")
    return Outcome(passed, failed, tuple(others), took_s)


def row(mutant: Mutant, outcome: Outcome) -> tuple[str, str, str, str]:
    """The mutant's line in the table, and at once on the terminal."""
    if outcome.others:
        verdict = f"broke, not caught: {outcome.others[0].splitlines()[0][:120]}"
    else:
        verdict = "caught" if outcome.failed else "NOT CAUGHT"
    print(f"  {mutant.name}: {verdict}", flush=True)
    return mutant.name, mutant.test.rpartition("/")[2], verdict, f"{outcome.took_s:.1f}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
