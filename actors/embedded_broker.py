"""A broker inside the process, whose queues honour each message's priority."""

import heapq
import itertools
from queue import Queue
from typing import Any

import dramatiq
from dramatiq.brokers.stub import StubBroker


class EmbeddedBroker(StubBroker):
    """Dramatiq's in-memory broker with queues ordered by broker_priority, then age.

    There are no delay queues: what is to run later waits in the database.
    """

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; a second time has no effect."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = _ByPriority()
            self.emit_after("declare_queue", queue_name)


def priority_of(message: Any) -> int:
    """What decides over its turn: higher goes first."""
    return int(message.options.get("broker_priority", 0))


class _ByPriority(Queue[bytes]):
    def _init(self, maxsize: int) -> None:
        self.queue: list[tuple[int, int, int, bytes]] = []
        self._arrival = itertools.count()

    def _put(self, item: bytes) -> None:
        message = dramatiq.Message.decode(item)
        rank = -priority_of(message), message.message_timestamp
        heapq.heappush(self.queue, (*rank, next(self._arrival), item))

    def _get(self) -> bytes:
        return heapq.heappop(self.queue)[-1]
