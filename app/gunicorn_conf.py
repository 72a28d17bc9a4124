"""What gunicorn asks of us: threads, lines like our own, and no trace of the present from a dead worker."""

import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from app.config import current  # not the module: gunicorn takes the name `config` here for a setting
from app.logs import set_up
from app.services.listeners import Listeners
from monitoring.processes import FOLDER, forget_living


class Lines(Logger):  # type: ignore[misc]  # it has no types
    """Gunicorn's own lines, in our form and where ours go."""

    def setup(self, cfg: Any) -> None:
        """Hand its lines on to our logging."""
        set_up(current().log_format)
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


logger_class = Lines
forwarded_allow_ips = ""  # app.web.forwarded is asked, whatever serves
threads = current().http_threads()
worker_connections = 2 * threads + 1000


def child_exit(_arbiter: Any, worker: Any) -> None:
    """Drop what the worker said of the present; what it counted stays."""
    if folder := os.environ.get(FOLDER):
        forget_living(Path(folder), str(worker.pid))


def post_worker_init(worker: Any) -> None:
    """Have listeners to events go when the process is to end, which would else wait and hold the port.

    That is when it was told to, and when the process that started it is gone.
    """
    Listeners.stopping = staticmethod(lambda: not worker.alive or worker.ppid != os.getppid())
