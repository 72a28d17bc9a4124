"""Worker processes, one pool each, started again when they end without being told to."""

import logging
import os
import subprocess
import sys
import time

from actors import pools
from actors.process import run, stop_event
from app import config, logs
from app.errors import InvalidInput
from app.models import schema

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
    wanted = [name for name in names or known for _ in range(known[name].processes)]
    children = [(name, _start(name)) for name in wanted]
    while not stop.wait(LOOK_EVERY_S):
        children = [
            (name, child if child.poll() is None else _restart(name, child)) for name, child in children
        ]
    _stop([child for _, child in children], settings.shutdown_timeout_s + GRACE_S)


def serve(name: str) -> None:
    """Be one process of the pool; ends with its supervisor."""
    settings, supervisor = config.current(), os.getppid()
    logs.set_up(settings.log_format)
    schema.open_database(settings)
    stop = stop_event()
    workers = pools.start({name: settings.pools()[name].threads})
    log.info("working", extra={"pool": name, "threads": settings.pools()[name].threads})
    while not stop.wait(LOOK_EVERY_S) and os.getppid() == supervisor:
        pass
    pools.stop(workers, settings.shutdown_timeout_s)
    logging.shutdown()
    os._exit(0)  # a thread deep in a recogniser would hold up an ordinary exit


def _start(name: str) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches the supervisor alone, which then tells its children.
    return subprocess.Popen([sys.executable, "-m", "actors.worker", "--serve", name], start_new_session=True)


def _restart(name: str, child: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    log.error("worker ended; starting another", extra={"pool": name, "exit_code": child.returncode})
    time.sleep(START_AGAIN_AFTER_S)
    return _start(name)


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
    run("worker", lambda: serve(sys.argv[2]) if sys.argv[1:2] == ["--serve"] else main(sys.argv[1:]))
