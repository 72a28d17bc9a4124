"""The command line: talks to a server, except for what concerns this machine."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.markup import escape
from rich.table import Column, Table

from app import config
from app.cli import admin, schedules
from app.cli.output import FAILED, as_json, err, guarded, out, show
from app.cli.progress import StageBars
from app.client import Client
from app.errors import InvalidSetting
from app.schemas import PRIORITIES, JobStatusAnswer


@click.group()
@click.version_option(package_name="youtube-rag")
def main() -> None:
    """Turn videos into knowledge that can be searched.

    Commands speak to the server at YTRAG_SERVER (default http://127.0.0.1:8000) with the key in
    YTRAG_API_KEY; up, serve, doctor, db, keys and reindex work on this machine's settings.

    Exit codes: 0 done, 1 the job failed or nothing was found, 2 wrong usage or setting, 3 no server answers,
    4 the server refused.
    """


@main.command()
@guarded
def up() -> None:
    """Run everything in one process: API, dispatcher and workers."""
    if config.current().broker_url:
        raise InvalidSetting(
            "YTRAG_BROKER_URL is set, but 'ytrag up' brings its own broker; unset it, or run "
            "'ytrag serve', 'ytrag worker' and 'ytrag dispatcher'."
        )
    _become("-m", "actors.embedded")


@main.command()
@guarded
def serve() -> None:
    """Run the API alone, beside an 'up' on the same data."""
    settings = config.current()
    bind = (
        f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
    )
    _become(
        *("-m", "gunicorn", "app.wsgi:app", "--bind", bind, "--no-control-socket"),
        *("--worker-class", "gthread", "--threads", "16", "--timeout", "120"),
    )


@main.command()
@click.argument("pools", nargs=-1)
@guarded
def worker(*, pools: tuple[str, ...]) -> None:
    """Run worker processes: of all pools, or of those named (io, media, asr, light)."""
    _need_broker("worker")
    _become("-m", "actors.worker", *pools)


@main.command()
@guarded
def dispatcher() -> None:
    """Move due work from the database to RabbitMQ; any number may run."""
    _need_broker("dispatcher")
    _become("-m", "actors.dispatcher")


def _need_broker(command: str) -> None:
    if not config.current().broker_url:
        raise InvalidSetting(
            f"YTRAG_BROKER_URL is empty, so the broker lives inside 'ytrag up'; for 'ytrag {command}' "
            "it has to be amqp://user:password@host:5672/vhost."
        )


def _become(*arguments: str) -> NoReturn:
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606  # a shell would be one process more


@main.command()
@click.argument("source", metavar="URL|FILE")
@click.option("--wait", is_flag=True, help="Show progress until the job has ended.")
@click.option("--mode", type=click.Choice(["auto", "captions", "asr"]), default="auto", show_default=True)
@click.option("--priority", type=click.Choice(["low", "default", "high", "critical"]), default="default")
@click.option("--language", help="ISO 639 code of the speech; left out: detected.")
@click.option("--title", help="Title of an uploaded file.")
@click.option("--force", is_flag=True, help="Ingest again although it was done before.")
@as_json
@guarded
def submit(*, source: str, wait: bool, mode: str, title: str | None, as_json: bool, **wishes: Any) -> None:
    """Have a video ingested, by its URL or as a file."""
    with Client() as client:
        if Path(source).is_file():
            accepted = client.upload(Path(source), title=title, **wishes)
        else:
            accepted = client.submit(source, mode=mode, **wishes)
        if not wait:
            show(accepted, f"{accepted.message}\n{accepted.job_id}", as_json=as_json)
            return
        _watch(client, accepted.job_id, as_json=as_json)


@main.command()
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
    if status.warning:
        lines.append(status.warning)
    if status.error:
        lines += [f"{status.error.code}: {status.error.detail}", status.error.hint]
    return "\n".join(lines)


@main.command()
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


@main.command()
@click.option("--status", help="Only jobs in this state.")
@click.option("--priority", type=click.Choice(list(PRIORITIES)))
@click.option("--video-id")
@click.option("--error-code", help="Only jobs that failed with this code.")
@click.option("--q", help="Text in the URL or the name.")
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


@main.command()
@click.option("--limit", default=20, show_default=True)
@click.option("--cursor", help="next_cursor of the page before.")
@as_json
@guarded
def videos(*, as_json: bool, **query: Any) -> None:
    """List videos that can be read and searched, newest first."""
    with Client() as client:
        page = client.videos(**query)
    table = Table(Column("video", no_wrap=True), "length", "transcript", "title", box=None)
    for video in page.data:
        length = f"{video.duration_s or 0:.0f} s"
        table.add_row(video.id, length, escape(video.transcript_source or ""), escape(video.title))
    show(page, table, as_json=as_json)


@main.command()
@click.argument("job_id")
@guarded
def cancel(*, job_id: str) -> None:
    """Stop a job."""
    with Client() as client:
        client.cancel(job_id)
    out.print(f"cancelled: {job_id}")


@main.command()
@click.argument("job_id")
@click.option("--from-stage", metavar="STAGE", help="Left out: the stage that failed, else the first.")
@as_json
@guarded
def retry(*, job_id: str, from_stage: str | None, as_json: bool) -> None:
    """Do a job again that has ended."""
    with Client() as client:
        answer = client.retry(job_id, from_stage=from_stage)
    show(answer, answer.message, as_json=as_json)


@main.command()
@click.argument("query")
@click.option("--mode", type=click.Choice(["hybrid", "semantic", "keyword"]), default="hybrid")
@click.option("--video-id")
@click.option("--limit", default=5, show_default=True)
@as_json
@guarded
def search(*, query: str, as_json: bool, **how: Any) -> None:
    """Find the sentences that answer a question."""
    with Client() as client:
        answer = client.search(query, **how)
    lines = [f"{_at(hit.start_s)}  {hit.text}\n       {hit.video.title}  {hit.url}" for hit in answer.hits]
    show(answer, "\n".join(lines) or "Nothing was found.", as_json=as_json)
    if not answer.hits:
        sys.exit(FAILED)


def _at(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:d}:{rest:02d}"


@main.command()
@click.argument("video_id")
@click.option("--format", "form", type=click.Choice(["txt", "srt", "vtt", "json"]), default="txt")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; left out: standard output."
)
@guarded
def export(*, video_id: str, form: str, output: Path | None) -> None:
    """Write a video's transcript."""
    with Client() as client:
        text = client.export(video_id, form)
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


for command in (schedules.schedules, admin.doctor, admin.db, admin.reindex, admin.keys):
    main.add_command(command)

if __name__ == "__main__":
    main()
