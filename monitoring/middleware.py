"""What only the broker's side sees of a message: how long it waited, and that it was given up."""

import time
from collections.abc import Mapping
from typing import Any

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Middleware

from monitoring import metrics

READY_AT = "ready_at"
"""Option of a message: since when it waits, Unix time in milliseconds; an intended delay does not count."""


class MeasureQueues(Middleware):
    """Stamps messages when they are enqueued, and measures their wait when they start."""

    def __init__(self, priorities: Mapping[int, str]) -> None:
        self._priorities = priorities

    def before_enqueue(self, broker: dramatiq.Broker, message: dramatiq.Message[Any], delay: int) -> None:
        """Stamp it."""
        message.options[READY_AT] = int(time.time() * 1000) + (delay or 0)

    def before_process_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        """Measure its wait; one that comes again after its worker died has not waited all that time."""
        ready_at = message.options.get(READY_AT)
        if ready_at is None or getattr(message, "redelivered", False):
            return
        waited_s = max(0.0, time.time() - ready_at / 1000)  # clocks of two machines may differ
        priority = self._priorities.get(message.options.get("broker_priority", 1), "default")
        metrics.stage_queue_wait_seconds.labels(message.queue_name, priority).observe(waited_s)

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """Count what nobody settled: @stage lets no error of a stage's work out."""
        if exception is not None and not message.failed:
            metrics.dead_lettered_total.labels(message.queue_name).inc()

    def after_nack(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        """Count what the worker refused: the broker has it in the queue's .XQ now."""
        metrics.dead_lettered_total.labels(message.queue_name).inc()
