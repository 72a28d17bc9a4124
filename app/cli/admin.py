"""Commands that work on this machine's settings and database, with no server between."""

import json
import sys
import time
from collections.abc import Callable

import click
from rich.markup import escape
from rich.table import Table

from app import config
from app.cli.output import FAILED, as_json, err, guarded, out, say
from app.cli.progress import counting
from app.engines.embedder import Embedder, embedder
from app.engines.recogniser import Recogniser, recogniser
from app.models import schema
from app.models.base import connect
from app.services import accounts, checks, indexing
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


MODELS: dict[str, Callable[[], Embedder | Recogniser]] = {"embedder": embedder, "recogniser": recogniser}


@click.command()
@click.option("--only", type=click.Choice([*MODELS]), help="Leave the other one out.")
@as_json
@guarded
def models(*, only: str | None, as_json: bool) -> None:
    """Fetch the models that the settings name, where they are not here, and see that they load."""
    found: dict[str, dict[str, object]] = {}
    for what in [only] if only else MODELS:
        began = time.monotonic()
        name = MODELS[what]().name
        found[what] = {"name": name, "took_s": round(time.monotonic() - began, 1)}
        if not as_json:
            out.print(f"{what}: {escape(name)}, here and loaded in {found[what]['took_s']} s", soft_wrap=True)
    if as_json:
        click.echo(json.dumps(found, indent=2))


@click.group()
def db() -> None:
    """The database."""


@db.command()
@as_json
@guarded
def upgrade(*, as_json: bool) -> None:
    """Bring the tables up to date."""
    settings = config.current()
    connect(settings.database())
    done = schema.upgrade(settings)
    say({"applied": done}, f"applied: {', '.join(done)}" if done else "up to date", as_json=as_json)


@click.command()
@as_json
@guarded
def reindex(*, as_json: bool) -> None:
    """Build the search index anew from the database; nothing is embedded again."""
    schema.open_database(config.current())
    with counting(err, "indexing", indexing.to_rebuild()) as advance:
        count = indexing.rebuild(on_video=lambda: advance(1))
    say({"videos": count}, f"{count} videos indexed", as_json=as_json)


@click.group()
def keys() -> None:
    """API keys."""


@keys.command()
@click.argument("owner")
@click.option("--role", type=click.Choice(api_keys.ROLES), default="user", show_default=True)
@as_json
@guarded
def create(*, owner: str, role: str, as_json: bool) -> None:
    """Make a key for an owner and print it, for the only time."""
    schema.open_database(config.current())
    key = api_keys.create(owner, role)
    say({"key": key, "owner": owner, "role": role}, key, as_json=as_json)


@keys.command("list")
@as_json
@guarded
def list_keys(*, as_json: bool) -> None:
    """List all keys, without their secrets."""
    schema.open_database(config.current())
    table = Table("key", "owner", "role", "made", "last used", "revoked", box=None)
    rows = []
    for key in api_keys.every():
        times = {"created_at": key.created_at, "last_used_at": key.last_used_at, "revoked_at": key.revoked_at}
        moments = {name: at.isoformat(timespec="seconds") if at else None for name, at in times.items()}
        table.add_row(
            f"ytrag_{key.prefix}_…", escape(key.owner), key.role, *(at or "" for at in moments.values())
        )
        rows.append({"prefix": f"ytrag_{key.prefix}", "owner": key.owner, "role": key.role, **moments})
    say({"data": rows}, table, as_json=as_json)


@keys.command()
@click.argument("key")
@as_json
@guarded
def revoke(*, key: str, as_json: bool) -> None:
    """Put a key out of force; KEY is how it begins: ytrag_1a2b3c4d."""
    schema.open_database(config.current())
    prefix = key.removeprefix("ytrag_").partition("_")[0]
    api_keys.revoke(prefix)
    say({"prefix": f"ytrag_{prefix}", "status": "revoked"}, "revoked", as_json=as_json)


@click.group()
def admins() -> None:
    """Admins who sign in with a password in a browser."""


@admins.command("put")
@click.argument("name")
@click.password_option(help="Asked for if not given; on standard input where that is no terminal.")
@as_json
@guarded
def put_admin(*, name: str, password: str, as_json: bool) -> None:
    """Add an admin, or change the password of one, which signs them out."""
    schema.open_database(config.current())
    is_new = accounts.put(name, password)
    say({"name": name, "new": is_new}, "added" if is_new else "changed", as_json=as_json)


@admins.command("list")
@as_json
@guarded
def list_admins(*, as_json: bool) -> None:
    """List the admins that have a password."""
    schema.open_database(config.current())
    table, rows = Table("name", "made", "password of", box=None), []
    for account in accounts.every():
        made, changed = (at.isoformat(timespec="seconds") for at in (account.created_at, account.changed_at))
        table.add_row(escape(account.name), made, changed)
        rows.append({"name": account.name, "created_at": made, "changed_at": changed})
    say({"data": rows}, table, as_json=as_json)


@admins.command("delete")
@click.argument("name")
@as_json
@guarded
def delete_admin(*, name: str, as_json: bool) -> None:
    """Let an admin in no more, and end their sessions."""
    schema.open_database(config.current())
    accounts.delete(name)
    say({"name": name, "status": "deleted"}, "deleted", as_json=as_json)
