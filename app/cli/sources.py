"""Commands for where videos come from."""

import click
from rich.markup import escape
from rich.table import Column, Table

from app.cli.output import as_json, guarded, say, show
from app.client import Client
from app.engines import downloader
from app.source_schemas import SourceAnswer


@click.group()
def sources() -> None:
    """Where videos come from, and whether they may be downloaded."""


@sources.command("list")
@as_json
@guarded
def list_sources(*, as_json: bool) -> None:
    """List sources: which are left alone, why, and until when."""
    with Client() as client:
        found = client.sources()
    table = Table(Column("source", no_wrap=True), *("state", "waiting", "running", "until", "why"), box=None)
    for one in found.data:
        until = f"{one.until:%Y-%m-%d %H:%M:%S} UTC" if one.until else ""
        table.add_row(one.source, _state(one), str(one.waiting), str(one.running), until, escape(_why(one)))
    show(found, table, as_json=as_json)


@sources.command()
@click.argument("source")
@as_json
@guarded
def pause(*, source: str, as_json: bool) -> None:
    """Let no job go to SOURCE, such as www.youtube.com, until it is resumed."""
    with Client() as client:
        found = client.pause_source(source)
    show(found, _sentence(found), as_json=as_json)


@sources.command()
@click.argument("source")
@as_json
@guarded
def resume(*, source: str, as_json: bool) -> None:
    """Let all jobs go to SOURCE again, whatever it answered and whoever paused it."""
    with Client() as client:
        found = client.resume_source(source)
    show(found, _sentence(found), as_json=as_json)


@sources.command("update-check")
@as_json
@guarded
def update_check(*, as_json: bool) -> None:
    """Say how old the yt-dlp of this machine is, and whether a newer one is to be had."""
    found = downloader.updates()
    told = {
        "installed": found.installed.version,
        "age_days": found.installed.age_days,
        "newest": found.newest.version if found.newest else None,
        "update": downloader.UPDATE if found.is_newer_to_be_had else None,
        "trouble": found.trouble or None,
    }
    lines = [f"yt-dlp {found.installed.version} is {found.installed.age_days} days old."]
    if found.is_newer_to_be_had:
        lines.append(f"{told['newest']} is to be had: {downloader.UPDATE}")
        lines.append("The next download uses it; nothing has to be started again.")
    elif found.newest:
        lines.append("It is the newest.")
    else:
        lines.append(f"Whether there is a newer one is not known: {found.trouble}")
    say(told, "\n".join(lines), as_json=as_json)


def _state(found: SourceAnswer) -> str:
    return f"paused by {found.paused_by}" if found.paused else found.state.replace("_", "-")


def _why(found: SourceAnswer) -> str:
    return f"{found.error.code}: {found.error.detail} {found.error.hint}" if found.error else ""


def _sentence(found: SourceAnswer) -> str:
    waiting = f"{found.waiting} waiting" if found.waiting else "nothing waits"
    return f"{found.source} is {_state(found)}, {waiting}"
