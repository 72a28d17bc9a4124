"""What a user would write without us: six actors in a Dramatiq pipeline, with confirms and priorities.

The environment says where RabbitMQ is (BENCH_BROKER_URL) and into which file the times go (BENCH_TIMES).
"""

import os
import time

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

STAGES = ("one", "two", "three", "four", "five", "six")

broker = RabbitmqBroker(url=os.environ["BENCH_BROKER_URL"], max_priority=3, confirm_delivery=True)
dramatiq.set_broker(broker)
times = os.open(os.environ["BENCH_TIMES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note() -> None:
    """Add this moment to the file."""
    os.write(times, f"{time.time()}\n".encode())


@dramatiq.actor(queue_name="one")
def one(_job: int) -> None:
    """The first stage."""
    note()


@dramatiq.actor(queue_name="two")
def two(_job: int) -> None:
    """Nothing."""


@dramatiq.actor(queue_name="three")
def three(_job: int) -> None:
    """Nothing."""


@dramatiq.actor(queue_name="four")
def four(_job: int) -> None:
    """Nothing."""


@dramatiq.actor(queue_name="five")
def five(_job: int) -> None:
    """Nothing."""


@dramatiq.actor(queue_name="six")
def six(_job: int) -> None:
    """The last stage."""
    note()


def submit(count: int) -> None:
    """Enqueue so many pipelines."""
    actors = (one, two, three, four, five, six)
    for job in range(count):
        chain = [
            actor.message_with_options(args=(job,), broker_priority=1, pipe_ignore=True) for actor in actors
        ]
        dramatiq.pipeline(chain, broker=broker).run()  # type: ignore[no-untyped-call]  # theirs
