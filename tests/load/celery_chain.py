"""The same with Celery: a chain of six tasks, acknowledged late, with its results in the same MariaDB.

The environment says where RabbitMQ and MariaDB are (BENCH_BROKER_URL, BENCH_DATABASE_URL) and into which
file the times go (BENCH_TIMES).
"""

import os
import time

from celery import Celery, chain  # type: ignore[import-untyped]  # it has no types
from kombu import Queue  # type: ignore[attr-defined]  # exported by importing it

PRIORITIES = {"x-max-priority": 3}
STAGES = ("one", "two", "three", "four", "five", "six")

app = Celery(
    "bench",
    broker=os.environ["BENCH_BROKER_URL"],
    backend="db+" + os.environ["BENCH_DATABASE_URL"].replace("mysql://", "mysql+pymysql://"),
)
app.conf.update(
    task_acks_late=True,
    broker_transport_options={"confirm_publish": True},
    worker_prefetch_multiplier=1,
    task_queue_max_priority=3,
    task_default_priority=1,
    task_queues=[Queue(name, queue_arguments=PRIORITIES) for name in STAGES],  # type: ignore[no-untyped-call]
    task_routes={name: {"queue": name} for name in STAGES},
    result_expires=None,
)
times = os.open(os.environ["BENCH_TIMES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note() -> None:
    """Add this moment to the file."""
    os.write(times, f"{time.time()}\n".encode())


def nothing(name: str) -> None:
    """Make a task of this name."""

    def work(job: int) -> int:
        if name in (STAGES[0], STAGES[-1]):
            note()
        return job

    app.task(name=name)(work)


for stage in STAGES:
    nothing(stage)


def submit(count: int) -> None:
    """Enqueue so many chains."""
    for job in range(count):
        first, *others = (app.tasks[name] for name in STAGES)
        chain(first.s(job), *(task.s() for task in others)).apply_async()
