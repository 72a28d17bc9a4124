"""Priorities inside one process: the more urgent message starts first, whatever its queue."""

import threading
from collections.abc import Iterator

import dramatiq
import pytest

from actors.embedded_broker import EmbeddedBroker
from actors.pool_worker import PoolWorker

ORDER = [3, 2, 1, 1, 0]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(middleware=[])
    yield broker
    broker.close()


def run_behind_a_gate(broker: EmbeddedBroker, queues: list[str], priorities: list[int]) -> list[int]:
    """Hold the one thread, send a message a priority (queues in turn), let go; return the order of starts."""
    gate, busy, all_done = threading.Event(), threading.Event(), threading.Event()
    started: list[int] = []

    def hold() -> None:
        busy.set()
        gate.wait(10)

    def note(priority: int) -> None:
        started.append(priority)
        if len(started) == len(priorities):
            all_done.set()

    holder = dramatiq.actor(broker=broker, queue_name=queues[0])(hold)
    actors = [dramatiq.actor(broker=broker, queue_name=name, actor_name=name)(note) for name in queues]
    worker = PoolWorker(broker, queues=set(queues), threads=1)
    worker.start()
    holder.send_with_options(broker_priority=3)
    busy.wait(10)
    for number, priority in enumerate(priorities):
        actor = actors[number % len(actors)]
        actor.send_with_options(args=(priority,), broker_priority=priority)
    gate.set()
    assert all_done.wait(10)
    worker.stop()
    return started


def test_in_one_queue_the_highest_priority_starts_first_then_the_oldest(broker: EmbeddedBroker) -> None:
    started = run_behind_a_gate(broker, ["one"], [1, 0, 3, 1, 2])

    assert started == ORDER


def test_a_worker_of_two_queues_starts_the_highest_priority_of_both(broker: EmbeddedBroker) -> None:
    """One message a queue is in the worker's hands already; among those that wait, priority decides."""
    started = run_behind_a_gate(broker, ["one", "two"], [0, 0, 0, 0, 3, 3])

    assert started.index(3) <= 2
    assert sorted(started, reverse=True) == [3, 3, 0, 0, 0, 0]


def test_what_is_declared_twice_keeps_its_messages(broker: EmbeddedBroker) -> None:
    dramatiq.actor(broker=broker, queue_name="one", actor_name="nothing")(lambda: None).send()

    broker.declare_queue("one")

    assert broker.queues["one"].qsize() == 1
