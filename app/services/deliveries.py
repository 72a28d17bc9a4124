"""Sends what webhooks are to be told: in order, again with growing pauses, not after too many failures."""

import logging
import time
from datetime import timedelta
from typing import Any

import peewee as pw

from app import clock, config
from app.engines.webhook import CallFailed, HttpCaller, WebhookCaller, signature
from app.models.base import after_commit, transactional
from app.models.messages import Message, Outbox
from app.models.webhooks import Delivery, Webhook
from app.services import notifications, outbox
from monitoring import metrics

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
BUDGET_S = 15.0
"""One turn sends so long; what is left comes with the next, behind those of other webhooks."""

GONE = 410


def send_due(webhook_id: str, caller: WebhookCaller | None = None) -> None:
    """Send the webhook what is due to it, oldest first, and see to it that the rest comes in its time."""
    if not _claim(webhook_id):
        return
    settings = config.current()
    caller = caller or HttpCaller(private=settings.webhook_private_addresses, proxy=settings.webhook_proxy)
    until = time.monotonic() + BUDGET_S
    while time.monotonic() < until and (delivery := _next(webhook_id)):
        _record(delivery, *_send(caller, delivery))
    _settle(webhook_id)


@transactional
def _claim(webhook_id: str) -> bool:
    """Whether it is the caller's turn to send to the webhook. None that is gone or paused is sent to."""
    now = clock.now()
    free = (Webhook.id == webhook_id) & (Webhook.lease_until.is_null() | (Webhook.lease_until < now))
    if Webhook.update(lease_until=now + LEASE).where(free).execute():
        return True
    if not Webhook.select().where(Webhook.id == webhook_id).exists():
        outbox.settle("notify", webhook_id)
    return False


def _next(webhook_id: str) -> Delivery | None:
    due = (Delivery.webhook == webhook_id) & (Delivery.state == "pending") & (Delivery.next_at <= clock.now())
    query = Delivery.select(Delivery, Webhook).join(Webhook).where(due & (Webhook.state == "active"))
    found: Delivery | None = query.order_by(Delivery.id).first()
    return found


def _send(caller: WebhookCaller, delivery: Delivery) -> tuple[int | None, str | None]:
    """The status that the receiver answered, or why there is none."""
    body, sent_at = delivery.body.encode(), int(clock.now().timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "youtube-rag",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(delivery.webhook.secret, delivery.id, sent_at, body),
    }
    try:
        return caller.call(delivery.webhook.url, headers, body), None
    except CallFailed as failure:
        return None, str(failure)


@transactional
def _record(delivery: Delivery, status: int | None, error: str | None) -> None:
    """Note what came of a try, when the next is to be, and whether there is to be none for now."""
    delays, now = config.current().webhook_delays_s, clock.now()
    delivered = status is not None and 200 <= status < 300
    changes: dict[str, Any] = {"status_code": status, "error": error, "attempts": delivery.attempts + 1}
    if delivered:
        changes |= {"state": "delivered", "finished_at": now, "next_at": None}
    elif delivery.attempts >= len(delays):
        changes |= {"state": "failed", "finished_at": now, "next_at": None}
    else:
        changes["next_at"] = now + timedelta(seconds=delays[delivery.attempts])
    Delivery.update(changes).where((Delivery.id == delivery.id) & (Delivery.state == "pending")).execute()
    after_commit(metrics.webhook_deliveries_total.labels("delivered" if delivered else "failed").inc)
    failures = 0 if delivered else Webhook.failures + 1
    Webhook.update(failures=failures).where(Webhook.id == delivery.webhook_id).execute()
    if not delivered:
        log.warning(
            "webhook failed", extra={"webhook": delivery.webhook_id, "status": status, "error": error}
        )
        _pause(delivery.webhook_id, status)


def _pause(webhook_id: str, status: int | None) -> None:
    most = config.current().webhook_pause_after
    here = (Webhook.id == webhook_id) & (Webhook.state == "active")
    if status == GONE:
        because = "The receiver answered 410: it wants nothing any more."
    else:
        here &= Webhook.failures >= most
        because = f"{most} tries in a row failed."
    Webhook.update(state="paused", paused_because=because).where(here).execute()


@transactional
def _settle(webhook_id: str) -> None:
    """Give the turn back, and have the webhook's message come again when the next delivery is due."""
    mine = (Outbox.actor == "notify") & (Outbox.subject == webhook_id)
    # It holds up whoever adds a delivery, so that theirs is either seen below or brings a message of its own.
    Outbox.update(lease_until=Outbox.lease_until).where(mine).execute()
    Webhook.update(lease_until=None).where(Webhook.id == webhook_id).execute()
    waiting = Delivery.select(pw.fn.MIN(Delivery.next_at)).join(Webhook)
    waiting = waiting.where(
        (Delivery.webhook == webhook_id) & (Delivery.state == "pending") & (Webhook.state == "active")
    )
    next_at = waiting.scalar(as_tuple=False)
    if next_at is None:
        Outbox.delete().where(mine).execute()
    else:
        Outbox.update(available_at=Delivery.next_at.python_value(next_at), lease_until=None).where(
            mine
        ).execute()
        after_commit(outbox.added.set)


@transactional
def ring_stranded() -> int:
    """Have sent what is due and has no message; returns to how many webhooks."""
    late = (Delivery.state == "pending") & (Delivery.next_at < clock.now() - LEASE)
    rung = Outbox.select(Outbox.subject).where(Outbox.actor == "notify")
    query = Delivery.select(Delivery.webhook).join(Webhook).distinct()
    found = query.where(late & (Webhook.state == "active") & Delivery.webhook.not_in(rung))
    ids = [row.webhook_id for row in found]
    for webhook_id in ids:
        notifications.ring(webhook_id)
    return len(ids)


@transactional
def forget_old(before: Any) -> int:
    """Delete a batch of what was sent before the moment and is no job's, and of the messages that sent it."""
    tests = Delivery.job.is_null() & (Delivery.created_at < before)
    gone = int(Delivery.delete().where(tests).execute())
    sent = (Message.queue == "notify") & Message.state.in_(("done", "dead")) & (Message.updated_at < before)
    ids = [message.id for message in Message.select(Message.id).where(sent).limit(200)]
    return gone + int(Message.delete().where(Message.id.in_(ids)).execute())
