"""Worker processes, one pool each, started again when they end without being told to."""

import gc
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from actors import pools, watch
from actors.process import run, stop_event
from app import config, logs
from app.config import Config
from app.errors import InvalidInput
from app.models import schema
from monitoring import processes, serving

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
START_AGAIN_AFTER_S = 2.0
GRACE_S = 5.0
"""What a child gets beyond YTRAG_SHUTDOWN_TIMEOUT_S before it is killed."""


def main(names: list[str]) -> None:
    """Supervise the processes of these pools (all without names) until SIGTERM or SIGINT."""
    settings = config.current()
    logs.set_up(settings.log_format)
    known = settings.pools()
    if unknown := set(names) - set(known):
        raise InvalidInput(f"There is no pool {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    schema.open_database(settings)
    stop = stop_event()
    places = [f"{name}-{number}" for name in names or known for number in range(known[name].processes)]
    metrics = _fresh_metrics(settings)
    children = {place: _start(place, metrics) for place in places}
    if metrics:
        serving.serve(
            settings.metrics_port,
            host=settings.metrics_host,
            registry=processes.registry(metrics),
            live=lambda: all(child.poll() is None for child in children.values()),
            ready=watch.readiness(),
        )
    while not stop.wait(LOOK_EVERY_S):
        for place, child in children.items():
            if child.poll() is not None:
                children[place] = _restart(place, child, metrics)
    _stop(list(children.values()), settings.shutdown_timeout_s + GRACE_S)


def _fresh_metrics(settings: Config) -> Path | None:
    """Where the children write what they count, if anybody is to know it."""
    if not settings.metrics_port:
        return None
    return processes.fresh_folder(settings.metrics_host, settings.metrics_port)


def serve(name: str, supervisor: int) -> None:
    """Be one process of the pool; ends with its supervisor, which may be dead before this has started."""
    settings = config.current()
    logs.set_up(settings.log_format)
    schema.open_database(settings)
    stop = stop_event()
    workers = pools.start({name: settings.pools()[name].threads})
    log.info("working", extra={"pool": name, "threads": settings.pools()[name].threads})
    gc.freeze()  # what was imported stays: no collection need look at it
    alive = True
    while alive and not stop.wait(LOOK_EVERY_S) and os.getppid() == supervisor:
        alive = pools.are_alive(workers)
    pools.stop(workers, settings.shutdown_timeout_s)
    logging.shutdown()
    os._exit(0 if alive else 1)  # a thread deep in a recogniser would hold up an ordinary exit


def _start(place: str, metrics: Path | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "actors.worker", "--serve", place.partition("-")[0], str(os.getpid())]
    environment = {**os.environ, **(processes.environment(metrics, place) if metrics else {})}
    # A session of its own: Ctrl-C reaches the supervisor alone, which then tells its children.
    return subprocess.Popen(command, env=environment, start_new_session=True)


def _restart(place: str, child: subprocess.Popen[bytes], metrics: Path | None) -> subprocess.Popen[bytes]:
    log.error("worker ended; starting another", extra={"worker": place, "exit_code": child.returncode})
    if metrics:
        processes.forget_living(metrics, place)
    time.sleep(START_AGAIN_AFTER_S)
    return _start(place, metrics)


def _stop(children: list[subprocess.Popen[bytes]], timeout_s: float) -> None:
    give_up = time.monotonic() + timeout_s
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(max(0.0, give_up - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        run("worker", lambda: serve(sys.argv[2], int(sys.argv[3])))
    else:
        run("worker", lambda: main(sys.argv[1:]))
