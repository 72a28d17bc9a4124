"""Commands for jobs: submitting, watching, listing, stopping and doing again."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.markup import escape
from rich.table import Column, Table

from app.cli.batches import submit_list
from app.cli.output import FAILED, as_json, err, guarded, out, say, show
from app.cli.progress import StageBars, counting
from app.client import Client
from app.engines.sources import is_youtube_list
from app.schemas import PRIORITIES, Accepted, JobStatusAnswer

F = TypeVar("F", bound=Callable[..., Any])

PRIORITY = click.Choice(list(PRIORITIES))
FILTERS = (
    click.option("--status", help="Only jobs in this state."),
    click.option("--priority", type=PRIORITY, help="Only jobs of this priority."),
    click.option("--video-id", help="Only jobs of this video."),
    click.option("--batch-id", help="Only jobs of this batch."),
    click.option("--error-code", help="Only jobs that failed with this code."),
    click.option("--q", help="Text in the URL or the name."),
)


def _filtered(function: F) -> F:
    """Add the options that say which jobs are meant."""
    for option in reversed(FILTERS):
        function = option(function)
    return function


@click.command()
@click.argument("source", metavar="URL|FILE")
@click.option("--wait", is_flag=True, help="Show progress until the job has ended.")
@click.option("--mode", type=click.Choice(["auto", "captions", "asr"]), default="auto", show_default=True)
@click.option("--priority", type=PRIORITY, default="default", show_default=True)
@click.option("--language", help="ISO 639 code of the speech; left out: detected.")
@click.option("--title", help="Title of an uploaded file.")
@click.option("--force", is_flag=True, help="Ingest again although it was done before.")
@as_json
@guarded
def submit(*, source: str, wait: bool, mode: str, title: str | None, as_json: bool, **wishes: Any) -> None:
    """Have a video ingested, by its URL or as a file, or all videos of a playlist or channel."""
    if is_youtube_list(source) and not wait:
        submit_list((source,), mode=mode, as_json=as_json, **wishes)
        return
    with Client() as client:
        if Path(source).is_file():
            accepted = _upload(client, Path(source), title=title, **wishes)
        else:
            accepted = client.submit(source, mode=mode, **wishes)
        if not wait:
            show(accepted, f"{accepted.message}\n{accepted.job_id}", as_json=as_json)
            return
        if accepted.status != "Queued":
            err.print(escape(accepted.message), soft_wrap=True)
        _watch(client, accepted.job_id, as_json=as_json)


def _upload(client: Client, path: Path, **wishes: Any) -> Accepted:
    with counting(err, "uploading", path.stat().st_size, in_bytes=True) as advance:
        return client.upload(path, on_sent=advance, **wishes)


@click.command()
@click.argument("job_id")
@as_json
@guarded
def watch(*, job_id: str, as_json: bool) -> None:
    """Show a job's progress until it has ended."""
    with Client() as client:
        _watch(client, job_id, as_json=as_json)


def _watch(client: Client, job_id: str, *, as_json: bool) -> None:
    with StageBars(err) as bars:
        status = client.wait(job_id, on_status=bars.update)
    show(status, _ending(status), as_json=as_json)
    if status.status != "completed":
        sys.exit(FAILED)


def _ending(status: JobStatusAnswer) -> str:
    lines = [f"{status.status}: {status.name}"]
    if status.video_id:
        lines.append(f"video {status.video_id}")
    lines += [line for line in (status.message, status.warning) if line]
    if status.error:
        lines += [f"{status.error.code}: {status.error.detail}", status.error.hint]
    return "\n".join(lines)


@click.command()
@click.argument("job_id")
@as_json
@guarded
def status(*, job_id: str, as_json: bool) -> None:
    """Show where a job stands, stage by stage."""
    with Client() as client:
        found = client.status(job_id)
    if as_json:
        show(found, "", as_json=True)
        return
    out.print(escape(f"{_ending(found)}\n{found.progress:.0f} % done, job {found.job_id}"), soft_wrap=True)
    if found.next_retry_at:
        out.print(f"next attempt at {found.next_retry_at:%Y-%m-%d %H:%M:%S} UTC")
    table = Table("stage", "status", "progress", "attempt", "took", "error", box=None)
    for stage in found.stages:
        took = (
            ""
            if not (stage.started_at and stage.finished_at)
            else _seconds(stage.started_at, stage.finished_at)
        )
        error = f"{stage.error.code}: {stage.error.detail}" if stage.error else ""
        table.add_row(
            stage.name, stage.status, f"{stage.progress:.0f} %", str(stage.attempt), took, escape(error)
        )
    out.print(table)


def _seconds(start: datetime, end: datetime) -> str:
    return f"{(end - start).total_seconds():.1f} s"


@click.command()
@_filtered
@click.option("--limit", default=20, show_default=True)
@click.option("--cursor", help="next_cursor of the page before.")
@click.option("--stats", is_flag=True, help="Only say how many jobs there are of each kind, unfiltered.")
@as_json
@guarded
def jobs(*, stats: bool, as_json: bool, **query: Any) -> None:
    """List jobs, newest first."""
    with Client() as client:
        if stats:
            numbers = client.stats()
            lines = [f"{name:10} {number}" for name, number in numbers.model_dump().items()]
            show(numbers, "\n".join(lines), as_json=as_json)
            return
        page = client.jobs(**query)
    table = Table(Column("job", no_wrap=True), "status", "progress", "name", "error", box=None)
    for job in page.data:
        error = job.error.code if job.error else ""
        table.add_row(job.job_id, job.status, f"{job.progress:.0f} %", escape(job.name), error)
    show(page, table, as_json=as_json)


@click.command()
@click.argument("job_id")
@as_json
@guarded
def cancel(*, job_id: str, as_json: bool) -> None:
    """Stop a job."""
    with Client() as client:
        client.cancel(job_id)
    say({"job_id": job_id, "status": "cancelled"}, f"cancelled: {job_id}", as_json=as_json)


@click.command()
@click.argument("job_id")
@click.option("--from-stage", metavar="STAGE", help="Left out: the stage that failed, else the first.")
@as_json
@guarded
def retry(*, job_id: str, from_stage: str | None, as_json: bool) -> None:
    """Do a job again that has ended."""
    with Client() as client:
        answer = client.retry(job_id, from_stage=from_stage)
    show(answer, answer.message, as_json=as_json)


@click.command()
@click.argument("action", type=click.Choice(["cancel", "retry"]))
@_filtered
@click.option("--dry-run", is_flag=True, help="Only count them.")
@as_json
@guarded
def bulk(*, action: str, dry_run: bool, as_json: bool, **filters: Any) -> None:
    """Cancel or retry all jobs that the options name: without --status active ones, or failed ones."""
    matched, done, cursor = 0, 0, None
    refused: dict[str, int] = {}
    with Client() as client, err.status(f"{action}ing"):
        while True:
            answer = client.bulk(action, dry_run=dry_run, cursor=cursor, **filters)
            matched, done, cursor = matched + answer.matched, done + answer.done, answer.next_cursor
            for code, count in answer.refused.items():
                refused[code] = refused.get(code, 0) + count
            if cursor is None:
                break
    counts = {"action": action, "dry_run": dry_run, "matched": matched, "done": done, "refused": refused}
    would = "would be done" if dry_run else "done"
    no = "".join(f", {count} refused ({code})" for code, count in refused.items())
    say(counts, f"{action}: {matched} found, {done} {would}{no}", as_json=as_json)
