"""The application as a WSGI server wants it."""

import os
import sys
from pathlib import Path

from app import config, logs
from app.config import Config
from app.errors import YtragError
from app.models.base import ping
from app.web.application import create_app
from monitoring import serving
from monitoring.health import Check
from monitoring.processes import FOLDER, registry

WILL_NOT_LOAD = 4
"""gunicorn's exit code for an application that it need not try to load again."""


def serve_metrics(config: Config) -> None:
    """Answer at the metrics port, as each worker of gunicorn does: any of them knows the sums of all."""
    if folder := os.environ.get(FOLDER):
        port, sums, ready = config.metrics_port, registry(Path(folder)), {"database": Check(ping)}
        serving.serve(port, host=config.metrics_host, registry=sums, ready=ready, shared=True)


try:
    logs.set_up(config.current().log_format)
    app = create_app(config.current())
    serve_metrics(config.current())
except YtragError as error:
    sys.stderr.write(f"ytrag serve: {error}\n")
    sys.exit(WILL_NOT_LOAD)
