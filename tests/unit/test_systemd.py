"""The systemd units run what the program has, with settings that it takes, as closed as systemd can say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import Config
from deploy.tools.compose import ROOT
from tests.words import parse

FOLDER = ROOT / "deploy/systemd"
TEMPLATES = {"worker": [*Config().pools()], "dispatcher": ["1", "2"]}
PROGRAM = "/opt/ytrag/.venv/bin/ytrag"
CLOSED_ENOUGH = 2.5
"""On systemd-analyze's scale from 0 to 10, of which it calls what is below 4.5 OK."""


def units() -> list[str]:
    """Each unit that the target starts."""
    wanted = re.findall(r"^Wants=(.+)$", (FOLDER / "ytrag.target").read_text(), re.MULTILINE)
    return [name for line in wanted for name in line.split()]


def text(unit: str) -> str:
    """What systemd reads of it: the unit, its drop-in, and its instance's name in both."""
    template = re.sub("@.*", "@.service", unit)
    parts = [FOLDER / template, *sorted((FOLDER / f"{unit}.d").glob("*.conf"))]
    instance = unit.partition("@")[2].removesuffix(".service")
    return "\n".join(part.read_text() for part in parts).replace("%i", instance)


def test_the_target_starts_every_pool_two_dispatchers_and_the_rest() -> None:
    instances = {f"ytrag-{name}@{one}.service" for name, them in TEMPLATES.items() for one in them}

    assert {*units()} == instances | {"ytrag-api.service", "ytrag-exporter.service"}


@pytest.mark.parametrize("unit", units())
def test_each_runs_a_program_of_ours_with_settings_that_it_takes(unit: str, tmp_path: Path) -> None:
    (tmp_path / "database_url").write_text("mysql://ytrag:s3cret@127.0.0.1/ytrag\n")
    (tmp_path / "broker_url").write_text("amqp://ytrag:s3cret@127.0.0.1/ytrag\n")
    read, shared = text(unit).replace("%d", str(tmp_path)), (FOLDER / "ytrag.env").read_text()

    [(program, name, arguments)] = re.findall(r"^ExecStart=(\S+) (\S+)(.*)$", read, re.MULTILINE)
    own = re.findall(r"YTRAG_\w+=\S+", "\n".join(re.findall(r"^Environment=(.+)$", read, re.MULTILINE)))
    given = [*own, *re.findall(r"^YTRAG_\w+=\S+", shared, re.MULTILINE)]
    config = Config.from_env(dict(line.split("=", 1) for line in given))

    assert program == PROGRAM
    parse([name, *arguments.split()])
    assert config.env == "production"
    assert config.broker_url.startswith("amqp://")
    stop = re.search(r"^TimeoutStopSec=(\d+)$", read, re.MULTILINE)
    assert stop
    assert int(stop[1]) > config.shutdown_timeout_s + 10


def test_each_process_has_a_metrics_port_of_its_own() -> None:
    ports = [re.findall(r"METRICS_PORT=(\d+)", text(unit)) for unit in units()]

    assert all(len(port) == 1 for port in ports)
    assert len({port for (port,) in ports}) == len(ports)


def test_only_downloads_and_webhooks_may_reach_the_internet() -> None:
    assert [unit for unit in units() if "\nIPAddressAllow=any" in text(unit)] == ["ytrag-worker@io.service"]
    assert all("\nIPAddressDeny=any" in text(unit) for unit in units())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed here")
def test_systemd_reads_them_without_complaint_and_finds_them_closed(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.rglob("*.service"):
        path.write_text(path.read_text().replace(PROGRAM, sys.executable))
    there = [str(tmp_path / re.sub("@.*", "@.service", unit)) for unit in units()]

    verified = subprocess.run(["systemd-analyze", "verify", *there], capture_output=True, text=True)

    assert [line for line in verified.stderr.splitlines() if str(tmp_path) in line] == []
    for unit in sorted({*there}):
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
            capture_output=True, text=True,
        )  # fmt: skip
        [level] = re.findall(r"exposure level for \S+ ([\d.]+)", rated.stdout)
        assert float(level) <= CLOSED_ENOUGH, rated.stdout
