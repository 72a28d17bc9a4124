"""Child programs: what they print is read as it comes, and none outlives its block."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.engines.processes import KEPT_BYTES, Child


def is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, timeout=10)
    return state.stdout.strip()[:1] not in ("", "Z")


def test_lines_come_as_they_are_printed_and_the_exit_code_at_the_end(tmp_path: Path) -> None:
    with Child(["sh", "-c", "cat; echo two; exit 3"], directory=tmp_path, stdin=b"one\n") as child:
        lines = [line for line in child.lines() if line]

    assert lines == ["one", "two"]
    assert child.returncode == 3


@pytest.mark.timeout(60)
def test_a_silent_program_yields_empty_lines_and_dies_with_its_block(tmp_path: Path) -> None:
    with Child(["sleep", "1000"], directory=tmp_path) as child:
        assert next(child.lines()) == ""

    assert child.returncode == -9


@pytest.mark.timeout(60)
@pytest.mark.parametrize("ending", ["wait", "exit"], ids=["while its parent lives", "after its parent"])
def test_what_a_program_has_started_dies_too(tmp_path: Path, ending: str) -> None:
    with Child(["sh", "-c", f"sleep 1000 & echo $!; {ending}"], directory=tmp_path) as child:
        grandchild = int(next(child.lines()))

    end = time.monotonic() + 20
    while is_alive(grandchild):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_of_endless_complaints_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    program = "import sys; sys.stderr.write('first' + 'x' * 2_000_000 + 'last')"

    with Child([sys.executable, "-c", program], directory=tmp_path) as child:
        list(child.lines())

    assert child.stderr.startswith("first")
    assert child.stderr.endswith("last")
    assert len(child.stderr) <= 2 * KEPT_BYTES
