"""The one broker and its middleware, in order."""

import dramatiq
from dramatiq import Middleware
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.middleware import CurrentMessage, Pipelines, TimeLimit

from actors.embedded_broker import EmbeddedBroker
from actors.middleware.record import RecordMessages
from app import config
from app.schemas import PRIORITIES, PRIORITY_NAMES
from monitoring.middleware import MeasureQueues

LIMITS = "heartbeat=60&blocked_connection_timeout=30&socket_timeout=10&stack_timeout=15"
"""Without them a send hangs for ever while RabbitMQ is short of memory or disk, or behind a dead network."""


def middleware() -> list[Middleware]:
    """Before-hooks run in this order, after-hooks in reverse.

    Dramatiq's Retries and Results are left out on purpose: attempts, delays and results are rows, counted
    once, and outlive any broker.
    """
    return [
        CurrentMessage(),  # first, so that the message is known for as long as anything else runs
        MeasureQueues(PRIORITY_NAMES),
        RecordMessages(),
        TimeLimit(),
        Pipelines(),  # last: its after-hook publishes the next stage before anything else can fail
    ]


def make() -> dramatiq.Broker:
    """RabbitMQ where the settings name one, else a broker inside this process."""
    settings = config.current()
    if not settings.broker_url:
        return EmbeddedBroker(middleware=middleware())
    sign = "&" if "?" in settings.broker_url else "?"
    name = f"client_properties={{'connection_name': 'ytrag {settings.name()}'}}"
    return RabbitmqBroker(
        url=f"{settings.broker_url}{sign}{LIMITS}&{name}",
        max_priority=max(PRIORITIES.values()),
        confirm_delivery=True,  # without it a send counts as done before RabbitMQ has the message
        middleware=middleware(),
    )


broker = make()
dramatiq.set_broker(broker)
