"""Everything in one process: API, dispatcher and workers over the in-process broker."""

import fcntl
import logging
import os
import signal
import sys
import threading
from importlib import import_module
from typing import IO

from prometheus_client import start_http_server
from waitress.server import create_server

from actors import dispatcher, heartbeat, housekeeping  # noqa: F401  # housekeeping declares its actors
from actors.broker import broker
from actors.embedded_broker import PoolWorker
from app import config, logs
from app.config import Config
from app.engines.storage import storage
from app.errors import InvalidSetting, YtragError
from app.services import outbox, recovery
from app.stages import CHUNK_ACTOR, NAMES, POOLS
from app.web.application import create_app

log = logging.getLogger(__name__)

HTTP_THREADS = 16


def main() -> None:
    """Run until SIGTERM or SIGINT; unfinished jobs go on at the next start."""
    settings = config.current()
    logs.set_up(settings.log_format)
    lock = _hold_alone(settings)
    server = create_server(create_app(settings), host=settings.host, port=settings.port, threads=HTTP_THREADS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _take_up_unfinished()
    workers = _start_workers(settings)
    for function, *args in ((server.run,), (dispatcher.run, stop), (heartbeat.run,)):
        threading.Thread(target=function, args=args, daemon=True).start()
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr="127.0.0.1")
    log.info("ready", extra={"address": settings.address(), "data": str(settings.data_dir)})
    stop.wait()
    _shut_down(workers, settings)
    lock.close()
    logging.shutdown()
    os._exit(0)  # a thread deep in a recogniser would hold up an ordinary exit


def _hold_alone(settings: Config) -> IO[str]:
    """Make sure that no other process runs jobs on this data: at the start it takes all of them for lost."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = (settings.data_dir / "ytrag.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InvalidSetting(
            f"YTRAG_DATA_DIR is {str(settings.data_dir)!r}, on which another 'ytrag up' works; "
            "stop that one, or name another folder."
        ) from None
    return lock


def _take_up_unfinished() -> None:
    storage().clear_workspaces()
    lost, open_jobs = recovery.recover(everything=True), recovery.ring_all()
    if open_jobs:
        log.info("going on with unfinished jobs", extra={"jobs": open_jobs, "interrupted": lost})


def _start_workers(settings: Config) -> list[PoolWorker]:
    for name in (*NAMES, CHUNK_ACTOR):
        import_module(f"actors.stages.{name}")
    threads = {
        "io": settings.workers_io,
        "media": settings.workers_media,
        "asr": settings.workers_asr,
        "light": settings.workers_light,
    }
    workers = [
        PoolWorker(broker, queues={queue for queue, pool in POOLS.items() if pool == name}, threads=count)
        for name, count in threads.items()
    ]
    broker.emit_after("process_boot")
    for worker in workers:
        worker.start()
    return workers


def _shut_down(workers: list[PoolWorker], settings: Config) -> None:
    log.info("stopping", extra={"timeout_s": settings.shutdown_timeout_s})
    outbox.added.set()
    heartbeat.interrupt()
    stoppers = [
        threading.Thread(target=worker.stop, args=(int(settings.shutdown_timeout_s * 1000),), daemon=True)
        for worker in workers
    ]
    for stopper in stoppers:
        stopper.start()
    for stopper in stoppers:
        stopper.join(settings.shutdown_timeout_s)


if __name__ == "__main__":
    try:
        main()
    except (YtragError, OSError) as error:
        sys.exit(f"ytrag up: {error}")
