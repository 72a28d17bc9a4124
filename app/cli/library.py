"""Commands for what was ingested: listing, searching, reading and forgetting it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from app.cli.output import FAILED, as_json, err, guarded, out, say, show
from app.client import Client
from app.search_schemas import HitAnswer

F = TypeVar("F", bound=Callable[..., Any])


@click.command()
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


@click.command("delete")
@click.argument("video_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@guarded
def delete_video(*, video_id: str, yes: bool, as_json: bool) -> None:
    """Forget a video with its transcript and all that belongs to it."""
    with Client() as client:
        title = client.video(video_id).title
        if not yes:
            click.confirm(f"Forget {title!r} with its transcript?", abort=True, err=True)
        client.delete_video(video_id)
    say({"video_id": video_id, "status": "deleted"}, f"deleted: {title}", as_json=as_json)


def _which(function: F) -> F:
    """Add the options that say how, and in which videos, to search."""
    options = (
        click.option("--mode", type=click.Choice(["hybrid", "semantic", "keyword"]), default="hybrid"),
        click.option("--video-id", help="Only in this video."),
        click.option("--channel", help="Only in videos of this channel."),
        click.option("--language", help="Only in videos of this language, as ISO 639: en."),
        click.option("--since", metavar="DATE", help="Published on this day or later: 2026-01-31."),
        click.option("--until", metavar="DATE", help="Published on this day or earlier."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@click.argument("query")
@_which
@click.option("--best-of-video", is_flag=True, help="No second hit of a video.")
@click.option("--context", default=0, show_default=True, help="So many passages before and after each hit.")
@click.option("--limit", default=5, show_default=True)
@click.option("--cursor", help="next_cursor of the page before.")
@as_json
@guarded
def search(*, query: str, as_json: bool, **how: Any) -> None:
    """Find the sentences that answer a question."""
    with Client() as client:
        answer = client.search(query, **how)
    if as_json or not answer.hits:
        show(answer, "Nothing was found.", as_json=as_json)
    else:
        for hit in answer.hits:
            out.print(_hit(hit), soft_wrap=True)
    if answer.next_cursor and not as_json:
        err.print(f"more: --cursor {answer.next_cursor}", soft_wrap=True)
    if not answer.hits:
        sys.exit(FAILED)


def _hit(hit: HitAnswer) -> Text:
    text = Text(hit.text)
    for start, end in hit.highlights:
        text.stylize("bold", start, end)
    lines = [f"       {passage.text}" for passage in hit.before]
    after = "".join(f"\n       {passage.text}" for passage in hit.after)
    source = Text(f"\n       {hit.video.title}  {hit.url}", style="dim")
    return Text("\n").join([*map(Text, lines), Text(f"{_at(hit.start_s)}  ") + text + Text(after) + source])


@click.command()
@click.argument("query")
@_which
@click.option("--max-tokens", default=2000, show_default=True, help="Most tokens of the text, estimated.")
@as_json
@guarded
def context(*, query: str, as_json: bool, **how: Any) -> None:
    """Gather what answers a question, with sources, for a language model's prompt."""
    with Client() as client:
        answer = client.context(query, **how)
    show(answer, answer.text or "Nothing was found.", as_json=as_json)
    if not answer.passages:
        sys.exit(FAILED)


def _at(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:d}:{rest:02d}"


@click.command()
@click.argument("video_id")
@click.option("--format", "form", type=click.Choice(["txt", "srt", "vtt", "json"]), help="txt unless told.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; left out: standard output."
)
@as_json
@guarded
def export(*, video_id: str, form: str | None, output: Path | None, as_json: bool) -> None:
    """Write a video's transcript."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} contradict each other; give one of them.")
    form = "json" if as_json else form or "txt"
    with Client() as client:
        text = client.export(video_id, form)
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
