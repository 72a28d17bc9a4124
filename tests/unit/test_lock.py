"""The locks agree with pyproject.toml, and what they contradict on purpose is exactly that."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "deploy/requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(name: str) -> dict[str, set[str]]:
    """Give the versions that a file names, by package; several where they depend on Python's version."""
    found: dict[str, set[str]] = {}
    text = (REQUIREMENTS / name).read_text()
    for package, version in re.findall(r"^([\w.-]+)==([\w.+]+)", text, re.MULTILINE):
        found.setdefault(package, set()).add(version)
    return found


def test_pip_check_complains_of_nothing_but_the_dashboards_two_wishes() -> None:
    command = [sys.executable, "-m", "pip", "check"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert [line.split(", but you have")[0] for line in sorted(answer.stdout.splitlines())] == [
        "dramatiq-dashboard 0.4.0 has requirement dramatiq[redis]<2.0,>=1.6",
        "dramatiq-dashboard 0.4.0 has requirement redis<5.0,>=2.0",
    ]


def test_every_declared_dependency_is_locked_within_its_bounds() -> None:
    extras = PROJECT["optional-dependencies"]
    locked = pins("dev.txt") | pins("torch.txt")

    for line in [*PROJECT["dependencies"], *(line for lines in extras.values() for line in lines)]:
        wanted = Requirement(line)
        assert all(version in wanted.specifier for version in locked[wanted.name]), line


def test_each_lock_is_a_part_of_the_larger_one() -> None:
    core, asr, runtime, dev = (pins(f"{name}.txt") for name in ("core", "asr", "runtime", "dev"))

    assert core.items() < asr.items() < runtime.items() < dev.items()
    assert "faster-whisper" in asr.keys() - core.keys()
    assert "sentence-transformers" in runtime.keys() - asr.keys()


def test_torch_and_cuda_stay_out_of_the_hashed_locks() -> None:
    assert set(pins("torch.txt")) == {"torch"}
    assert not [name for name in pins("dev.txt") if name.startswith(("torch", "nvidia", "triton", "cuda"))]


def test_the_dashboard_stands_in_the_locks_only() -> None:
    declared = {Requirement(line).name for line in PROJECT["dependencies"]}

    assert not declared & {"dramatiq-dashboard", "redis"}
    assert {"dramatiq-dashboard", "redis"} <= set(pins("runtime.txt"))
