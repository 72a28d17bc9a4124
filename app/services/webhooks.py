"""Webhooks: registered by a user for all their jobs, or with one job."""

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from ulid import ULID

from app import clock, config
from app.engines.webhook import SECRET, check_url
from app.errors import Conflict, NotFound
from app.models.base import transactional
from app.models.jobs import ACTIVE, Job
from app.models.webhooks import Delivery, Webhook
from app.refusals import WebhookPaused
from app.services import notifications
from app.services.notifications import KINDS

MOST = 20
"""Webhooks of one owner that are not a job's own."""


@dataclass(frozen=True)
class Registered:
    """A webhook, and its secret where it was made just now."""

    webhook: Webhook
    secret: str | None = None


@transactional
def register(owner: str, url: str, events: list[str]) -> Registered:
    """Have the address told of the owner's jobs, those at work now included."""
    check(url)
    mine = (Webhook.owner == owner) & Webhook.job.is_null()
    if Webhook.select().where(mine).count() >= MOST:
        raise Conflict(f"There are {MOST} webhooks already, the most that a user may have.")
    registered = _make(owner, url, events)
    _awake(owner)
    return registered


def attach(job: Job, url: str) -> Registered:
    """Have the address told of this job, unless it ended or has a webhook; call it in a transaction."""
    known: Webhook | None = Webhook.get_or_none(job=job.id)
    if known is None:
        Job.update(notifies=True).where(Job.id == job.id).execute()
        return _make(job.owner, url, list(KINDS), job.id)
    return Registered(known)


def check(url: str) -> str:
    """The address if something may be sent there; else WebhookRefused."""
    return check_url(url, private=config.current().webhook_private_addresses)


def get(webhook_id: str, owner: str | None) -> Webhook:
    """The webhook; NotFound where the owner (None: an admin) has none of that id."""
    found: Webhook | None = _seen_by(owner).where(Webhook.id == webhook_id).first()
    if found is None:
        raise NotFound(f"There is no webhook {webhook_id!r}.")
    return found


def page(owner: str | None, *, before: str | None, limit: int) -> list[Webhook]:
    """The owner's webhooks (None: all), newest first, those before the id."""
    query = _seen_by(owner).order_by(Webhook.id.desc()).limit(limit)
    return list(query.where(Webhook.id < before) if before else query)


@transactional
def change(webhook_id: str, owner: str | None, *, enabled: bool | None, **changes: Any) -> Webhook:
    """Change url or events where given; enabled also ends a pause, and what waited is sent."""
    hook = get(webhook_id, owner)
    wanted = {name: value for name, value in changes.items() if value is not None}
    if "url" in wanted:
        check(wanted["url"])
    if enabled is not None:
        wanted |= {"state": "active" if enabled else "disabled", "failures": 0, "paused_because": None}
    if wanted:
        Webhook.update(wanted).where(Webhook.id == webhook_id).execute()
    if enabled:
        _awake(hook.owner)
        notifications.ring(webhook_id)
    return get(webhook_id, owner)


@transactional
def delete(webhook_id: str, owner: str | None) -> None:
    """Forget the webhook and what was sent to it."""
    get(webhook_id, owner)
    Delivery.delete().where(Delivery.webhook == webhook_id).execute()
    Webhook.delete().where(Webhook.id == webhook_id).execute()


@transactional
def test(webhook_id: str, owner: str | None) -> Delivery:
    """Have the webhook told something that only tests it."""
    hook, now = _active(webhook_id, owner), clock.now()
    body = notifications.body_of("test", {"message": "This is a test of your webhook."}, now)
    found: Delivery = Delivery.get_by_id(notifications.add(hook, "test", body))
    return found


def deliveries(webhook_id: str, owner: str | None, *, before: str | None, limit: int) -> list[Delivery]:
    """What was or is to be sent to the webhook, newest first, before the id."""
    get(webhook_id, owner)
    query = Delivery.select().where(Delivery.webhook == webhook_id).order_by(Delivery.id.desc()).limit(limit)
    return list(query.where(Delivery.id < before) if before else query)


@transactional
def send_again(webhook_id: str, delivery_id: str, owner: str | None) -> Delivery:
    """Have a delivery sent as if it had never been; its id stays, by which receivers know it."""
    get(webhook_id, owner)
    mine = (Delivery.id == delivery_id) & (Delivery.webhook == webhook_id)
    anew = {"state": "pending", "attempts": 0, "next_at": clock.now(), "finished_at": None}
    if not Delivery.select().where(mine).exists():
        raise NotFound(f"There is no delivery {delivery_id!r} of this webhook.")
    _active(webhook_id, owner)
    Delivery.update(anew).where(mine).execute()
    notifications.ring(webhook_id)
    found: Delivery = Delivery.get_by_id(delivery_id)
    return found


def _seen_by(owner: str | None) -> Any:
    return Webhook.select() if owner is None else Webhook.select().where(Webhook.owner == owner)


def _active(webhook_id: str, owner: str | None) -> Webhook:
    hook = get(webhook_id, owner)
    if hook.state != "active":
        raise WebhookPaused(f"The webhook is {hook.state}. {hook.paused_because or ''}".strip())
    return hook


def _make(owner: str, url: str, events: list[str], job_id: str | None = None) -> Registered:
    secret = SECRET + base64.b64encode(secrets.token_bytes(32)).decode()
    hook = Webhook.create(
        id=str(ULID()),
        owner=owner,
        job=job_id,
        url=url,
        events=events,
        secret=secret,
        state="active",
        paused_because=None,
        created_at=clock.now(),
        force_insert=True,
    )
    return Registered(hook, secret)


def _awake(owner: str) -> None:
    """Have the owner's jobs that are at work tell their webhooks too."""
    Job.update(notifies=True).where((Job.owner == owner) & Job.state.in_(ACTIVE)).execute()
