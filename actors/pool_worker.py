"""A worker that serves several queues and starts the highest priority among them."""

import dataclasses
import heapq
import logging
import threading
import time
from functools import partial
from queue import PriorityQueue
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from actors.embedded_broker import priority_of

log = logging.getLogger(__name__)

HELD_S = 0.5
"""A message that waits here so long goes back to its queue: one that goes first may have come behind it."""


class PoolWorker(dramatiq.Worker):
    """Serves several queues with its threads; what it holds is never long out of the broker's order."""

    def __init__(self, broker: dramatiq.Broker, *, queues: set[str], threads: int) -> None:
        super().__init__(broker, queues=queues, worker_threads=threads, worker_timeout=200)
        # Running messages count: more than one a thread would sit here while a higher one waits outside.
        self.queue_prefetch = threads
        self.held = _WorkQueue()
        self.work_queue = self.held
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start all threads."""
        super().start()
        threading.Thread(target=self._keep_order, daemon=True).start()

    def stop(self, timeout: int = 600_000) -> None:
        """End what runs, within so many milliseconds."""
        self._stopping.set()
        super().stop(timeout)

    def _keep_order(self) -> None:
        while not self._stopping.wait(HELD_S):
            for message in self.held.take_older(HELD_S):
                try:
                    _give_back(self.broker, self.consumers[message.queue_name].consumer, message)
                except Exception:
                    log.exception("message not given back", extra={"message_id": message.message_id})


def _give_back(broker: dramatiq.Broker, consumer: Any, message: Any) -> None:
    """Have the broker deliver the message when its turn comes."""
    if not isinstance(broker, RabbitmqBroker):
        consumer.queue.put(message.encode())
        consumer.ack(message)
    elif message._tag in consumer.known_tags:  # else its connection is gone, and RabbitMQ has it back
        consumer.known_tags.discard(message._tag)
        again = partial(consumer.channel.basic_nack, message._tag, requeue=True)
        consumer.connection.add_callback_threadsafe(again)


class _WorkQueue(PriorityQueue[Any]):
    """Dramatiq orders by the actor's priority; here the message's own decides."""

    def _put(self, item: Any) -> None:
        super()._put(dataclasses.replace(item, priority=-priority_of(item.message)))

    def take_older(self, seconds: float) -> list[Any]:
        """The messages that came so long ago, which then are not here any more."""
        since = time.monotonic_ns() - int(seconds * 1e9)
        with self.mutex:
            old = [item.message for item in self.queue if item._queued_time < since]
            self.queue[:] = [item for item in self.queue if item._queued_time >= since]
            heapq.heapify(self.queue)
            self.unfinished_tasks -= len(old)
        return old
