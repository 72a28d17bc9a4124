"""Prometheus and Alertmanager with our configuration, on free ports, looking at an observed house."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import yaml

from deploy.tools.rules import ROOT, shortened
from tests import services, tools
from tests.observed import answers, eventually
from tests.receiver import Receiver
from tests.up import free_port

QUICK = {
    "POLL_S": "0.2",
    "LEASE_S": "5",
    "RETRY_DELAYS_S": "0.2",
    "DOWNLOAD_SPACING_S": "0",
    "WEBHOOK_PRIVATE_ADDRESSES": "1",
    "WHISPER_MODEL": "packaged-tiny.en",
}
"""Settings of a house in which much happens within a minute."""
SHORTER = 60
"""What takes minutes in operation takes so many times less here."""


class Monitoring:
    """The addresses of a Prometheus and an Alertmanager that look at a house, and what they say."""

    def __init__(self, webhook: Receiver) -> None:
        self.webhook = webhook
        self.began = time.time()
        self.prometheus, self.alertmanager = (f"http://127.0.0.1:{free_port()}" for _ in range(2))

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """All that came to the webhook."""
        return [alert for call in list(self.webhook.received) for alert in json.loads(call.body)["alerts"]]

    def told(self, name: str, status: str) -> list[dict[str, Any]]:
        """The alerts of this name that came with this status."""
        wanted = (name, status)
        return [one for one in self.alerts if (one["labels"]["alertname"], one["status"]) == wanted]

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The present answer to a query."""
        return self._result("query", query=query)

    def ask_range(self, query: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The answers between two moments."""
        return self._result("query_range", query=query, start=start, end=end, step=step)

    def _result(self, way: str, **parameters: Any) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.prometheus}/api/v1/{way}", params=parameters, timeout=30).json()
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def targets_up(self) -> dict[str, int]:
        """How many targets of each job answer."""
        found = self.ask("sum by (job) (up)")
        return {series["metric"]["job"]: int(series["value"][1]) for series in found}


class House(Protocol):
    """What is watched: each process's metrics port by its name, with a number if there are more; settings."""

    @property
    def ports(self) -> Mapping[str, int]: ...

    @property
    def settings(self) -> Mapping[str, str]: ...


@contextmanager
def watching(house: House, folder: Path) -> Iterator[Monitoring]:
    """Prometheus (with all rules, as without Grafana) and Alertmanager, for as long as the block runs."""
    tools.needed()
    folder.mkdir(parents=True, exist_ok=True)
    with Receiver() as webhook:
        monitoring = Monitoring(webhook)
        _configure(house, monitoring, folder)
        processes = [_start(command, folder) for command in _commands(monitoring, folder)]
        try:
            eventually(lambda: answers(f"{monitoring.prometheus}/-/ready"))
            eventually(lambda: answers(f"{monitoring.alertmanager}/-/ready"))
            yield monitoring
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=30)


def _commands(monitoring: Monitoring, folder: Path) -> list[list[str]]:
    ours, theirs = urlsplit(monitoring.prometheus).netloc, urlsplit(monitoring.alertmanager).netloc
    return [
        [
            *("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address={ours}", "--log.level=warn"),
        ],
        [
            *("prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml"),
            *(f"--storage.path={folder}/alerts", f"--web.listen-address={theirs}"),
            *("--cluster.listen-address=", "--log.level=warn"),
        ],
    ]


def _start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{command[0]}.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def _configure(house: House, monitoring: Monitoring, folder: Path) -> None:
    """Our files with this house's addresses, and with seconds for minutes in what is waited for."""
    for name in ("alerts", "meta"):
        (folder / f"{name}.yml").write_text(yaml.safe_dump(shortened(name, factor=SHORTER)))
    told = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    told["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    told["rule_files"] = ["alerts.yml", "meta.yml"]
    told["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [
        urlsplit(monitoring.alertmanager).netloc
    ]
    places = _places(house, monitoring)
    for job in told["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": places[job["job_name"]]}]
        if "params" in job:
            job["params"]["vhost"] = [urlsplit(house.settings["BROKER_URL"]).path.strip("/")]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(told))
    text = (ROOT / "deploy/alertmanager/alertmanager.yml").read_text()
    text = text.replace("http://127.0.0.1:9095", monitoring.webhook.url)
    text = re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", text)
    (folder / "alertmanager.yml").write_text(text)


def _places(house: House, monitoring: Monitoring) -> Mapping[str, list[str]]:
    by_job: dict[str, list[str]] = {}
    for name, port in house.ports.items():
        by_job.setdefault(name.rstrip("0123456789"), []).append(f"127.0.0.1:{port}")
    rabbitmq = [services.broker_metrics()]
    return {
        **by_job,
        "rabbitmq": rabbitmq,
        "rabbitmq-detailed": rabbitmq,
        "prometheus": [urlsplit(monitoring.prometheus).netloc],
        "alertmanager": [urlsplit(monitoring.alertmanager).netloc],
    }
