"""Tells Prometheus what the database and the disks hold; one is enough, and any number may run."""

import logging
from importlib.metadata import version

from actors import process, watch
from app import config, logs
from app.errors import InvalidSetting
from app.models import schema
from app.models.base import ping
from monitoring import metrics, serving
from monitoring.health import Check

log = logging.getLogger(__name__)


def main() -> None:
    """Answer at YTRAG_METRICS_PORT until SIGTERM or SIGINT."""
    settings = config.current()
    logs.set_up(settings.log_format)
    if not settings.metrics_port:
        raise InvalidSetting("YTRAG_METRICS_PORT is 0, so there is nothing to answer at; it may be 9100.")
    schema.open_database(settings)
    metrics.build_info.labels(version("youtube-rag")).set(1)
    watch.register_census()
    stop = process.stop_event()
    serving.serve(settings.metrics_port, host=settings.metrics_host, ready={"database": Check(ping)})
    log.info("exporting", extra={"port": settings.metrics_port})
    stop.wait()


if __name__ == "__main__":
    process.run("exporter", main)
