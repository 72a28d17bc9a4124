"""A worker of several queues does not sit on what should wait in them."""

import threading
import time
from collections.abc import Callable, Iterator

import dramatiq
import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from actors.embedded_broker import EmbeddedBroker
from actors.pool_worker import PoolWorker

QUEUES = ("one", "two")


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Iterator[dramatiq.Broker]:
    made: dramatiq.Broker = (
        EmbeddedBroker(middleware=[])
        if request.param == "embedded"
        else RabbitmqBroker(
            url=request.getfixturevalue("fresh_broker"), max_priority=3, confirm_delivery=True, middleware=[]
        )
    )
    yield made
    made.close()


def test_a_message_overtakes_those_that_its_worker_holds_already(broker: dramatiq.Broker) -> None:
    gate, busy, ended = threading.Event(), threading.Event(), threading.Event()
    started: list[int] = []

    def work(priority: int) -> None:
        started.append(priority)
        busy.set()
        gate.wait(30)
        if len(started) == 4:
            ended.set()

    actors = [dramatiq.actor(broker=broker, queue_name=name, actor_name=name)(work) for name in QUEUES]
    worker = PoolWorker(broker, queues=set(QUEUES), threads=1)
    worker.start()
    send(actors[0], 0)
    assert busy.wait(30)
    for actor in actors:
        send(actor, 0)
    awaited(lambda: held(worker) == [0])

    send(actors[1], 3)
    awaited(lambda: 3 in held(worker))
    gate.set()

    assert ended.wait(30)
    worker.stop()
    assert started == [0, 3, 0, 0]


def send(actor: "dramatiq.Actor[..., None]", priority: int) -> None:
    actor.send_with_options(args=(priority,), broker_priority=priority)


def held(worker: PoolWorker) -> list[int]:
    """Priorities of what the worker holds and has not started."""
    return [item.message.args[0] for item in list(worker.held.queue)]


def awaited(look: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 120
    while not look():
        assert time.monotonic() < give_up
        time.sleep(0.01)
