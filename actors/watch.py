"""What the metrics port of a process of ours answers: health, and the counts of the whole house."""

from importlib.metadata import version

from prometheus_client import REGISTRY

from app import config
from app.error_codes import stage_codes
from app.models.base import ping, release
from app.services import census
from app.stages import POOLS
from app.values import PRIORITIES
from monitoring import metrics, rabbitmq
from monitoring.exporter import Census, Reading
from monitoring.health import Check, Checks


def readiness() -> Checks:
    """What a process stands on that moves messages."""
    checks = {"database": Check(ping)}
    if url := config.current().broker_url:
        checks["broker"] = Check(lambda: rabbitmq.connect_once(url))
    return checks


def begin_worker(pools: set[str]) -> None:
    """Have the series of these pools' stages begin at zero."""
    metrics.begin_worker(
        version("youtube-rag"),
        stages=[queue for queue, pool in POOLS.items() if pool in pools],
        priorities=PRIORITIES,
        codes=stage_codes(),
    )


def register_census() -> None:
    """Have this process answer with what the database holds."""
    REGISTRY.register(Census(readings()))


def readings() -> dict[str, Reading]:
    """How each of the exporter's gauges is read."""
    readings: dict[str, Reading] = {
        "jobs": census.jobs_in_states,
        "jobs_failed_unattended": lambda: {"": census.failed_unattended()},
        "oldest_job_age_seconds": census.oldest_ages_s,
        "outbox_pending": lambda: {"": census.unsent()},
        "outbox_oldest_age_seconds": lambda: {"": census.unsent_age_s()},
        "dispatcher_last_run_timestamp_seconds": census.last_runs,
        "storage_free_bytes": lambda: {name: usage.free for name, usage in census.volumes().items()},
        "storage_size_bytes": lambda: {name: usage.total for name, usage in census.volumes().items()},
        "source_circuit_open": census.source_circuit_open,
        "workers": census.workers_by_queue,
    }
    return {name: _releasing(read) for name, read in readings.items()}


def _releasing(read: Reading) -> Reading:
    def releasing() -> dict[str, float]:
        try:
            return dict(read())
        finally:
            release()

    return releasing
