"""Commands for what recurs."""

from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from app.cli.output import as_json, guarded, say, show
from app.client import Client
from app.schedule_schemas import ScheduleAnswer


@click.group()
def schedules() -> None:
    """Recurring jobs."""


@schedules.command("list")
@click.option("--limit", default=20, show_default=True)
@click.option("--cursor", help="next_cursor of the page before.")
@as_json
@guarded
def list_schedules(*, as_json: bool, **query: Any) -> None:
    """List schedules, newest first."""
    with Client() as client:
        page = client.schedules(**query)
    table = Table(
        Column("schedule", no_wrap=True),
        Column("name", no_wrap=True),
        *("cron", "zone", "next run", "last outcome"),
        box=None,
    )
    for found in page.data:
        table.add_row(
            found.id,
            escape(found.name),
            found.cron,
            found.timezone,
            found.next_run.isoformat(timespec="minutes") if found.next_run else "disabled",
            escape(found.last_outcome or ""),
        )
    show(page, table, as_json=as_json)


@schedules.command()
@click.argument("name")
@click.option("--cron", required=True, help="Five fields, such as '0 6 * * 1-5'.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA's name, such as Europe/Berlin.")
@click.option("--ingest", metavar="URL", help="A video to ingest.")
@click.option("--sync", metavar="URL", help="A playlist or channel whose new videos are to be ingested.")
@click.option("--limit", type=int, help="Videos of the list that are looked at.")
@click.option("--mode", type=click.Choice(["auto", "captions", "asr"]))
@click.option("--priority", type=click.Choice(["low", "default", "high", "critical"]))
@click.option("--language", help="ISO 639 code of the speech; left out: detected.")
@click.option("--force", is_flag=True, default=None, help="Ingest each time anew; else once.")
@click.option("--housekeeping", metavar="NAME", help="The program's own work, such as retention (admins).")
@click.option("--enabled/--disabled", default=None, help="Left out: as it is; a new schedule is enabled.")
@as_json
@guarded
def put(
    *, name: str, cron: str, timezone: str, ingest: str | None, sync: str | None, housekeeping: str | None,
    enabled: bool | None, as_json: bool, **wishes: Any,
) -> None:  # fmt: skip
    """Add the schedule of that name, or update it."""
    named = {"ingest": ingest, "sync": sync, "housekeeping": housekeeping}
    given = [(action, subject) for action, subject in named.items() if subject is not None]
    if len(given) != 1:
        raise click.UsageError("Give one of --ingest, --sync and --housekeeping.")
    ((action, subject),) = given
    payload: dict[str, Any] = {"name" if action == "housekeeping" else "url": subject}
    payload |= {wish: value for wish, value in wishes.items() if value is not None}
    with Client() as client:
        fields = {"cron": cron, "timezone": timezone, "enabled": enabled}
        found = client.put_schedule(name, action=action, payload=payload, **fields)
    show(found, _sentence(found), as_json=as_json)


@schedules.command()
@click.argument("schedule_id")
@as_json
@guarded
def enable(*, schedule_id: str, as_json: bool) -> None:
    """Let a schedule fire from its next time on."""
    with Client() as client:
        found = client.enable_schedule(schedule_id)
    show(found, _sentence(found), as_json=as_json)


@schedules.command()
@click.argument("schedule_id")
@as_json
@guarded
def disable(*, schedule_id: str, as_json: bool) -> None:
    """Let a schedule fire no more until it is enabled."""
    with Client() as client:
        found = client.enable_schedule(schedule_id, enabled=False)
    show(found, _sentence(found), as_json=as_json)


@schedules.command()
@click.argument("schedule_id")
@as_json
@guarded
def run(*, schedule_id: str, as_json: bool) -> None:
    """Do at once what a schedule does."""
    with Client() as client:
        started = client.run_schedule(schedule_id)
    show(started, "\n".join(filter(None, (started.message, started.job_id))), as_json=as_json)


@schedules.command()
@click.argument("schedule_id")
@as_json
@guarded
def delete(*, schedule_id: str, as_json: bool) -> None:
    """Forget a schedule; the jobs that it started stay."""
    with Client() as client:
        client.delete_schedule(schedule_id)
    say({"id": schedule_id, "status": "deleted"}, f"deleted: {schedule_id}", as_json=as_json)


def _sentence(found: ScheduleAnswer) -> str:
    when = f"runs next at {found.next_run.isoformat()}" if found.next_run else "is disabled"
    return f"{found.name} {when}\n{found.id}"
