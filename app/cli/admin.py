"""Commands that work on this machine's settings and database, with no server between."""

import json
import sys

import click
from rich.markup import escape
from rich.table import Table

from app import config
from app.cli.output import FAILED, as_json, err, guarded, out
from app.models import schema
from app.models.base import connect
from app.services import checks, indexing
from app.services import keys as api_keys


@click.command()
@click.option("--online", metavar="URL", help="Also download this video, the real way.")
@as_json
@guarded
def doctor(*, online: str | None, as_json: bool) -> None:
    """Check all that the program stands on, and say what to do."""
    done = []
    for check in checks.every(config.current(), online):
        done.append(check)
        if not as_json:
            mark = "[green]ok  [/]" if check.ok else "[red]fail[/]"
            to_do = f"\n     {escape(check.to_do)}" if check.to_do else ""
            out.print(f"{mark} {check.name}: {escape(check.found)}{to_do}", soft_wrap=True)
    if as_json:
        click.echo(json.dumps([vars(check) for check in done], indent=2))
    if not all(check.ok for check in done):
        sys.exit(FAILED)


@click.group()
def db() -> None:
    """The database."""


@db.command()
@guarded
def upgrade() -> None:
    """Bring the tables up to date."""
    settings = config.current()
    connect(settings.database())
    done = schema.upgrade(settings)
    out.print(f"applied: {', '.join(done)}" if done else "up to date")


@click.command()
@guarded
def reindex() -> None:
    """Build the search index anew from the database; nothing is embedded again."""
    schema.open_database(config.current())
    with err.status("indexing"):
        count = indexing.rebuild()
    out.print(f"{count} videos indexed")


@click.group()
def keys() -> None:
    """API keys."""


@keys.command()
@click.argument("owner")
@click.option("--role", type=click.Choice(api_keys.ROLES), default="user", show_default=True)
@guarded
def create(*, owner: str, role: str) -> None:
    """Make a key for an owner and print it, for the only time."""
    schema.open_database(config.current())
    click.echo(api_keys.create(owner, role))


@keys.command("list")
@guarded
def list_keys() -> None:
    """List all keys, without their secrets."""
    schema.open_database(config.current())
    table = Table("key", "owner", "role", "made", "last used", "revoked", box=None)
    for key in api_keys.every():
        moments = [m.isoformat(timespec="seconds") if m else "" for m in (key.last_used_at, key.revoked_at)]
        made = key.created_at.isoformat(timespec="seconds")
        table.add_row(f"ytrag_{key.prefix}_…", escape(key.owner), key.role, made, *moments)
    out.print(table)


@keys.command()
@click.argument("key")
@guarded
def revoke(*, key: str) -> None:
    """Put a key out of force; KEY is how it begins: ytrag_1a2b3c4d."""
    schema.open_database(config.current())
    api_keys.revoke(key.removeprefix("ytrag_").partition("_")[0])
    out.print("revoked")
