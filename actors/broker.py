"""The one broker and its middleware, in order."""

import dramatiq
from dramatiq.middleware import CurrentMessage, Pipelines, TimeLimit

from actors.embedded_broker import EmbeddedBroker
from actors.middleware.record import RecordMessages

broker = EmbeddedBroker(
    middleware=[
        # Before-hooks run in this order, after-hooks in reverse. Dramatiq's Retries and Results are left
        # out on purpose: attempts, delays and results are rows, counted once, and outlive any broker.
        CurrentMessage(),  # first, so that the message is known for as long as anything else runs
        RecordMessages(),
        TimeLimit(),
        Pipelines(),  # last: its after-hook publishes the next stage before anything else can fail
    ]
)
dramatiq.set_broker(broker)
