"""Everything in one process: API, dispatcher and workers over the in-process broker."""

import fcntl
import logging
import os
import threading
from typing import IO

from waitress.server import create_server

from actors import dispatcher, pools, watch
from actors.process import run, stop_event
from app import config, logs
from app.config import Config
from app.engines.storage import storage
from app.errors import InvalidSetting
from app.services import recovery, schedules
from app.web.application import create_app
from monitoring import serving

log = logging.getLogger(__name__)


def main() -> None:
    """Run until SIGTERM or SIGINT; unfinished jobs go on at the next start."""
    settings = config.current()
    logs.set_up(settings.log_format)
    lock = _hold_alone(settings)
    server = create_server(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        threads=settings.http_threads(),
        clear_untrusted_proxy_headers=False,  # app.web.forwarded is asked, whatever serves
    )
    stop = stop_event()
    _take_up_unfinished()
    schedules.ensure_system_schedules(settings.housekeeping_interval_s)
    workers = pools.start({name: pool.total for name, pool in settings.pools().items()})
    for function, *args in ((server.run,), (dispatcher.run, stop)):
        threading.Thread(target=function, args=args, daemon=True).start()
    watch.register_census()
    serving.serve(
        settings.metrics_port,
        host=settings.metrics_host,
        live=lambda: pools.are_alive(workers),
        ready=watch.readiness(),
    )
    log.info("ready", extra={"address": settings.address(), "data": str(settings.data_dir)})
    stop.wait()
    pools.stop(workers, settings.shutdown_timeout_s)
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


if __name__ == "__main__":
    run("up", main)
