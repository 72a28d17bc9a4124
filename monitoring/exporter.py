"""What is true of the whole house, read when Prometheus asks; nothing is kept from one scrape to the next."""

import logging
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

Reading = Callable[[], Mapping[str, float]]
"""The gauge's value by its label's; a gauge without a label has one value, under ''."""

GAUGES: dict[str, tuple[str, str]] = {
    "jobs": ("state", "Jobs by state."),
    "jobs_failed_unattended": (
        "",
        "Jobs that failed within 24 hours and were neither retried nor acknowledged.",
    ),
    "oldest_job_age_seconds": ("state", "For how long the oldest job of the state waits or works."),
    "outbox_pending": ("", "Messages that are due and wait for a dispatcher to publish them."),
    "outbox_oldest_age_seconds": ("", "For how long the oldest of them has been due."),
    "dispatcher_last_run_timestamp_seconds": (
        "task",
        "When any dispatcher last got through the task, Unix time.",
    ),
    "storage_free_bytes": ("volume", "Free space of the volume."),
    "storage_size_bytes": ("volume", "Size of the volume."),
    "source_circuit_open": (
        "source",
        "1 while downloads from the source wait because it refused us, else 0.",
    ),
    "workers": ("queue", "Worker processes that serve the queue."),
}
"""Label (none: '') and help of each, named without its prefix."""


class Census(Collector):
    """Asks each reading at each scrape; one that fails is left out, which the alert MetricsAbsent sees."""

    def __init__(self, readings: Mapping[str, Reading]) -> None:
        self._readings = readings

    def describe(self) -> list[Metric]:
        """Nothing, so that registering it asks for nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gauges as they are now."""
        for name, read in self._readings.items():
            label, about = GAUGES[name]
            family = GaugeMetricFamily(f"ytrag_{name}", about, labels=[label] if label else [])
            try:
                for value, number in read().items():
                    family.add_metric([value] if label else [], number)
            except Exception:
                log.exception("gauge not read", extra={"gauge": name})
                continue
            yield family
