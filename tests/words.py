"""Reads a line of `ytrag` as the program would, without doing what it says."""

import click

from app.cli.main import main


def parse(words: list[str]) -> click.Context:
    """The words after `ytrag`, read; click.UsageError where the program takes no such ones."""
    name, command, arguments = main.resolve_command(click.Context(main), words)
    assert command
    return command.make_context(name, arguments)
