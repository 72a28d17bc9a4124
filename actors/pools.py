"""Starts and stops the workers of this process, pool by pool."""

import logging
import threading
from importlib import import_module

from actors import heartbeat, housekeeping, listing, notify, watch  # noqa: F401  # these declare their actors
from actors.broker import broker
from actors.pool_worker import PoolWorker
from app.services import workers as members
from app.stages import CHUNK_ACTOR, NAMES, POOLS

log = logging.getLogger(__name__)


def declare_actors() -> None:
    """Make every actor known to the broker."""
    for name in (*NAMES, CHUNK_ACTOR):
        import_module(f"actors.stages.{name}")


def start(threads: dict[str, int]) -> list[PoolWorker]:
    """Start a worker with so many threads for each of these pools, and what keeps their claims alive."""
    declare_actors()
    workers = [
        PoolWorker(broker, queues={queue for queue, pool in POOLS.items() if pool == name}, threads=count)
        for name, count in threads.items()
    ]
    watch.begin_worker(set(threads))
    broker.emit_after("process_boot")
    for worker in workers:
        worker.start()
    queues = [queue for queue, pool in POOLS.items() if pool in threads]
    threading.Thread(target=heartbeat.run, args=(queues, sum(threads.values())), daemon=True).start()
    return workers


def are_alive(workers: list[PoolWorker]) -> bool:
    """Whether every thread that takes messages or works on them still runs."""
    return all(
        thread.is_alive() for worker in workers for thread in (*worker.workers, *worker.consumers.values())
    )


def stop(workers: list[PoolWorker], timeout_s: float) -> None:
    """Let short work end, have long work put back, and return when all is done or the time is up."""
    log.info("stopping", extra={"timeout_s": timeout_s})
    heartbeat.interrupt()
    stoppers = [
        threading.Thread(target=worker.stop, args=(int(timeout_s * 1000),), daemon=True) for worker in workers
    ]
    for stopper in stoppers:
        stopper.start()
    for stopper in stoppers:
        stopper.join(timeout_s)
    members.leave(heartbeat.worker_name())
