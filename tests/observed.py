"""The production form with a metrics port for each process, and what those ports say."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.up import Production, Program, free_port


class Metered(Program):
    """A process that is ready once its metrics port answers."""

    def is_ready(self) -> bool:
        """Whether it says that it lives."""
        return answers(f"http://127.0.0.1:{self.settings['METRICS_PORT']}/healthz")


class Observed(Production):
    """API in two processes, two dispatchers, workers and exporter, each with its metrics port in `ports`."""

    def __init__(self, data_dir: Path, *, database_url: str, broker_url: str, **settings: str) -> None:
        super().__init__(data_dir, database_url=database_url, broker_url=broker_url, **settings)
        self.ports = {name: free_port() for name in ("api", *self.others, "exporter")}
        self.others = {
            name: Metered(name.rstrip("12"), data_dir, name, **self.settings | {"METRICS_PORT": str(port)})
            for name, port in self.ports.items()
            if name != "api"
        }
        self.settings["METRICS_PORT"] = str(self.ports["api"])

    def hold_back_workers(self) -> None:
        """Start without workers; send_workers() starts them."""
        self._held_back = self.others.pop("worker")

    def send_workers(self) -> None:
        """Start them now."""
        self.others["worker"] = self._held_back
        self._held_back.start()

    @property
    def environment(self) -> dict[str, str]:
        """Several processes of gunicorn, too."""
        return {**super().environment, "WEB_CONCURRENCY": "2"}

    def url(self, name: str, path: str) -> str:
        """An address at the metrics port of this process."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def values(self, name: str, metric: str, **labels: str) -> list[float]:
        """The values of the series that have these labels, as the process tells them now."""
        return values(self.url(name, "/metrics"), metric, **labels)

    def total(self, name: str, metric: str, **labels: str) -> float:
        """Their sum."""
        return sum(self.values(name, metric, **labels))


def values(address: str, metric: str, **labels: str) -> list[float]:
    """The values of a page's series that have these labels."""
    page = httpx.get(address).raise_for_status().text
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return [
        sample.value
        for sample in samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    ]


def answers(address: str) -> bool:
    """Whether the address answers well."""
    try:
        return httpx.get(address).is_success
    except httpx.TransportError:
        return False


def eventually(condition: Callable[[], object], timeout_s: float = 90.0) -> None:
    """Return once the condition holds."""
    give_up = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up, f"not within {timeout_s:g} s"
        time.sleep(0.1)
