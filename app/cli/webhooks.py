"""Commands for being told: events as they happen, and webhooks."""

import json
import sys
from typing import get_args

import click
from rich.markup import escape
from rich.table import Column, Table

from app.cli.output import FAILED, as_json, guarded, out, say, show
from app.client import Client
from app.webhook_schemas import EventName, WebhookAnswer


@click.command()
@click.argument("job_id", required=False)
@click.option("--after", metavar="ID", help="Only events behind this one.")
@as_json
@guarded
def events(*, job_id: str | None, after: str | None, as_json: bool) -> None:
    """Print what happens to JOB_ID until it has ended, or to all jobs until interrupted.

    With --json each event is one line.
    """
    kind = ""
    with Client() as client:
        for event in client.events(job_id, last_event_id=after):
            kind = event.kind
            if as_json:
                click.echo(json.dumps({"id": event.id, "event": kind, "data": event.data}))
            else:
                told = ", ".join(f"{name} {value}" for name, value in event.data.items() if name != "job_id")
                out.print(escape(f"{event.id} {kind}: {told}"), soft_wrap=True)
    if kind in ("failed", "cancelled"):
        sys.exit(FAILED)


@click.group()
def webhooks() -> None:
    """Addresses that are told of all one's jobs."""


@webhooks.command("list")
@click.option("--limit", default=20, show_default=True)
@click.option("--cursor", help="next_cursor of the page before.")
@as_json
@guarded
def list_webhooks(*, limit: int, cursor: str | None, as_json: bool) -> None:
    """List webhooks, newest first."""
    with Client() as client:
        page = client.webhooks(limit=limit, cursor=cursor)
    table = Table(Column("webhook", no_wrap=True), "state", "events", "url", "why", box=None)
    for hook in page.data:
        why = escape(hook.paused_because or "")
        table.add_row(hook.id, hook.state, ", ".join(hook.events), escape(hook.url), why)
    show(page, table, as_json=as_json)


@webhooks.command()
@click.argument("url")
@click.option(
    "--event", "names", multiple=True, type=click.Choice(get_args(EventName)),
    help="Of which to tell; once for each. Left out: completed, failed and cancelled.",
)  # fmt: skip
@as_json
@guarded
def add(*, url: str, names: tuple[str, ...], as_json: bool) -> None:
    """Have URL told, and print the secret that signs what is sent, for the only time."""
    with Client() as client:
        hook = client.add_webhook(url, events=names)
    show(hook, f"{hook.id}\nsecret {hook.secret}", as_json=as_json)


@webhooks.command()
@click.argument("webhook_id")
@as_json
@guarded
def enable(*, webhook_id: str, as_json: bool) -> None:
    """Tell it again after it was disabled or paused; what waited is sent."""
    _change(webhook_id, enabled=True, as_json=as_json)


@webhooks.command()
@click.argument("webhook_id")
@as_json
@guarded
def disable(*, webhook_id: str, as_json: bool) -> None:
    """Tell it nothing until it is enabled."""
    _change(webhook_id, enabled=False, as_json=as_json)


def _change(webhook_id: str, *, enabled: bool, as_json: bool) -> None:
    with Client() as client:
        hook: WebhookAnswer = client.change_webhook(webhook_id, enabled=enabled)
    show(hook, f"{hook.state}: {hook.url}", as_json=as_json)


@webhooks.command()
@click.argument("webhook_id")
@as_json
@guarded
def delete(*, webhook_id: str, as_json: bool) -> None:
    """Forget a webhook and what was sent to it."""
    with Client() as client:
        client.delete_webhook(webhook_id)
    say({"webhook_id": webhook_id, "status": "deleted"}, f"deleted: {webhook_id}", as_json=as_json)


@webhooks.command()
@click.argument("webhook_id")
@as_json
@guarded
def test(*, webhook_id: str, as_json: bool) -> None:
    """Have a test sent; 'deliveries' tells what came of it."""
    with Client() as client:
        delivery = client.test_webhook(webhook_id)
    show(delivery, f"{delivery.state}: {delivery.id}", as_json=as_json)


@webhooks.command()
@click.argument("webhook_id")
@click.option("--limit", default=20, show_default=True)
@click.option("--cursor", help="next_cursor of the page before.")
@as_json
@guarded
def deliveries(*, webhook_id: str, limit: int, cursor: str | None, as_json: bool) -> None:
    """List what was or is to be sent, newest first."""
    with Client() as client:
        page = client.deliveries(webhook_id, limit=limit, cursor=cursor)
    table = Table(Column("delivery", no_wrap=True), "type", "state", "tries", "answer", "error", box=None)
    for one in page.data:
        answer, error = str(one.status_code or ""), escape(one.error or "")
        table.add_row(one.id, one.type, one.state, str(one.attempts), answer, error)
    show(page, table, as_json=as_json)


@webhooks.command()
@click.argument("webhook_id")
@click.argument("delivery_id")
@as_json
@guarded
def resend(*, webhook_id: str, delivery_id: str, as_json: bool) -> None:
    """Have a delivery sent again, with the same webhook-id."""
    with Client() as client:
        delivery = client.send_again(webhook_id, delivery_id)
    show(delivery, f"{delivery.state}: {delivery.id}", as_json=as_json)
