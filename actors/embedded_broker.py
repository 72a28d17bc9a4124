"""A broker inside the process, whose queues and workers honour each message's priority."""

import dataclasses
import heapq
import itertools
from queue import PriorityQueue, Queue
from typing import Any

import dramatiq
from dramatiq.brokers.stub import StubBroker


class EmbeddedBroker(StubBroker):
    """Dramatiq's in-memory broker with queues ordered by broker_priority, then arrival.

    There are no delay queues: what is to run later waits in the database.
    """

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; a second time has no effect."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = _ByPriority()
            self.emit_after("declare_queue", queue_name)


class PoolWorker(dramatiq.Worker):
    """Serves several queues with its threads and starts the highest priority among them."""

    def __init__(self, broker: dramatiq.Broker, *, queues: set[str], threads: int) -> None:
        super().__init__(broker, queues=queues, worker_threads=threads, worker_timeout=200)
        # Running messages count: more than one a thread would sit here while a higher one waits outside.
        self.queue_prefetch = threads
        self.work_queue = _WorkQueue()


def _priority(message: Any) -> int:
    return int(message.options.get("broker_priority", 0))


class _ByPriority(Queue[bytes]):
    def _init(self, maxsize: int) -> None:
        self.queue: list[tuple[int, int, bytes]] = []
        self._arrival = itertools.count()

    def _put(self, item: bytes) -> None:
        rank = -_priority(dramatiq.Message.decode(item))
        heapq.heappush(self.queue, (rank, next(self._arrival), item))

    def _get(self) -> bytes:
        return heapq.heappop(self.queue)[2]


class _WorkQueue(PriorityQueue[Any]):
    """Dramatiq orders by the actor's priority; here the message's own decides."""

    def _put(self, item: Any) -> None:
        super()._put(dataclasses.replace(item, priority=-_priority(item.message)))
