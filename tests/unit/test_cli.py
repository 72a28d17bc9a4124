"""The command line imports each command only when it is asked for."""

import subprocess
import sys

import click
import pytest

from app.cli.main import main


@pytest.mark.parametrize("name", main.list_commands(click.Context(main)))
def test_every_command_is_found_by_its_name(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command
    assert command.name == name


def test_a_worker_is_started_without_what_only_other_commands_need() -> None:
    loaded = "import sys, app.cli.main; print(*sys.modules)"

    modules = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    ).stdout

    assert {"numpy", "peewee", "app.client", "app.services.search"}.isdisjoint(modules.split())
