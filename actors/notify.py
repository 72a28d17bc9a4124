"""Tells webhooks what happened. The outbox row stays until nothing is left to be sent."""

import dramatiq

from actors.broker import broker
from app.services import deliveries


@dramatiq.actor(queue_name="notify", broker=broker, time_limit=60_000)
def notify(webhook_id: str) -> None:
    """Send the webhook what is due to it."""
    deliveries.send_due(webhook_id)
