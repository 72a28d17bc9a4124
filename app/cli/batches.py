"""Commands for many videos at once."""

from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from app.batch_schemas import BatchDetailAnswer
from app.cli.output import as_json, guarded, out, show
from app.client import Client


@click.group()
def batches() -> None:
    """Playlists, channels and other lists of videos."""


@batches.command("submit")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("--limit", type=int, help="Videos at most, in the list's order.")
@click.option("--since", metavar="YYYY-MM-DD", help="None that the list dates before this day.")
@click.option("--mode", type=click.Choice(["auto", "captions", "asr"]))
@click.option("--priority", type=click.Choice(["low", "default", "high", "critical"]))
@click.option("--language", help="ISO 639 code of the speech; left out: detected.")
@click.option("--force", is_flag=True, default=None, help="Ingest again what was done before.")
@as_json
@guarded
def submit_batch(*, urls: tuple[str, ...], as_json: bool, **wishes: Any) -> None:
    """Have a playlist, a channel or a page with videos ingested; several addresses are videos themselves."""
    submit_list(urls, as_json=as_json, **wishes)


def submit_list(urls: tuple[str, ...], *, as_json: bool, **wishes: Any) -> None:
    """Send a list's address, or the addresses of several videos, and say what is made of it."""
    what = {"url": urls[0]} if len(urls) == 1 else {"urls": urls}
    with Client() as client:
        accepted = client.submit_batch(**what, **wishes)
    show(accepted, f"{accepted.message}\n{accepted.batch_id}", as_json=as_json)


@batches.command("list")
@click.option("--limit", default=20, show_default=True)
@click.option("--cursor", help="next_cursor of the page before.")
@as_json
@guarded
def list_batches(*, as_json: bool, **query: Any) -> None:
    """List batches, newest first."""
    with Client() as client:
        page = client.batches(**query)
    table = Table(Column("batch", no_wrap=True), "status", "progress", "videos", "failed", "list", box=None)
    for found in page.data:
        name = found.title or found.url or ""
        numbers = (f"{found.progress:.0f} %", str(found.counts.total), str(found.counts.failed))
        table.add_row(found.batch_id, found.status, *numbers, escape(name))
    show(page, table, as_json=as_json)


@batches.command("status")
@click.argument("batch_id")
@click.option("--limit", default=20, show_default=True, help="Jobs of one page.")
@click.option("--cursor", help="next_cursor of the page before.")
@as_json
@guarded
def batch_status(*, batch_id: str, as_json: bool, **query: Any) -> None:
    """Show where a batch stands, with its jobs, newest first."""
    with Client() as client:
        found = client.batch(batch_id, **query)
    if as_json:
        show(found, "", as_json=True)
        return
    out.print(escape(_standing(found)), soft_wrap=True)
    table = Table(Column("job", no_wrap=True), "status", "progress", "name", "error", box=None)
    for job in found.jobs:
        error = job.error.code if job.error else ""
        table.add_row(job.job_id, job.status, f"{job.progress:.0f} %", escape(job.name), error)
    out.print(table)


def _standing(found: BatchDetailAnswer) -> str:
    counts = [f"{number} {name}" for name, number in found.counts.model_dump().items() if number]
    lines = [f"{found.status}: {found.title or found.url or 'videos'}", f"{found.progress:.0f} % done"]
    lines += [", ".join(counts)] if counts else []
    if found.error:
        lines += [f"{found.error.code}: {found.error.detail}", found.error.hint]
    return "\n".join([*lines, *(f"{one.code}: {one.url}" for one in found.refused)])
