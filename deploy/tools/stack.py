"""The production form without Docker: what docker-compose.yml runs of ours, as processes of this machine.

`make stack` runs them until Ctrl-C; `make stack-test` (--once) sends the demo's talk through them and ends.
RabbitMQ and MariaDB are those of deploy/services.sh, and stay. Logs are in var/stack/<service>.log.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from app.client import Client
from app.errors import YtragError
from deploy.tools.compose import ROOT, Service, here, our_services
from deploy.tools.demo import outcome, took_s
from deploy.tools.demo_report import Script, head, out, say, show_search
from tests import services as servers
from tests.observed import eventually
from tests.prometheus import watching
from tests.up import free_port
from tests.webserver import WebServer

TALK = ROOT / "tests/fixtures/talk"
ONCE = {
    "YTRAG_ALLOWED_SOURCES": "127.0.0.1",
    "YTRAG_WHISPER_MODEL": "packaged-tiny.en",
    "YTRAG_EMBEDDING_MODEL": "packaged",
}
PROGRAMS = {"ytrag": [sys.executable, "-m", "app.cli.main"], "python": [sys.executable]}
START_TIMEOUT_S, JOB_TIMEOUT_S, STOP_TIMEOUT_S, LOOK_EVERY_S = 60.0, 300.0, 75.0, 0.1
LOG_LINES = 10


class StackFailed(Exception):
    """What is not as it should be, a line each."""


def main() -> int:
    """Exit code: 0 all is as it should be, 1 it is not, 2 wrong usage, 69 no servers here, 130 stopped."""
    parser = argparse.ArgumentParser(prog="make stack", description="The production form without Docker.")
    parser.add_argument("--once", action="store_true", help="send the demo's talk through it, then end")
    parser.add_argument("--folder", type=Path, default=ROOT / "var/stack", help="where data and logs go")
    wishes = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if code := subprocess.call([ROOT / "deploy/services.sh", "up"]):
        return code
    folder = wishes.folder.resolve()
    return guarded(lambda: run_once(folder, ingest_talk) if wishes.once else run_on(folder), str(folder))


def guarded(work: Callable[[], None], logs: str) -> int:
    """Do it; what went wrong is printed, with where the logs are, and becomes the exit code."""
    try:
        work()
    except KeyboardInterrupt:
        head("Stopped")
        return 130
    except (StackFailed, YtragError, TimeoutError) as error:
        lines = [f"{error.code}: {error.detail}", error.hint] if isinstance(error, YtragError) else error.args
        head("[red]The stack failed")
        for line in (*lines, f"All logs: {logs}"):
            out.print(f"  {line}", markup=False)
        return 1
    return 0


def run_on(folder: Path) -> None:
    """Keep a stack, with data that outlast it and a key that does not, until Ctrl-C."""
    database_url, broker_url = servers.database_url(), servers.broker_url()
    assert database_url
    assert broker_url
    port = int(os.environ.get("API_PORT") or 8000)
    secrets = put_secrets(folder / "secrets", database_url, broker_url)
    with Stack(our_services(os.environ, here(folder / "data", secrets, port)), folder) as stack:
        head("Open until Ctrl-C")
        say("use it", f"export YTRAG_SERVER={stack.client.server} YTRAG_API_KEY={stack.key}")
        say("submit", ".venv/bin/ytrag submit https://www.youtube.com/watch?v=… --wait    # or a file")
        try:
            while True:
                stack.look()
                time.sleep(LOOK_EVERY_S)
        finally:
            run(stack.api, "ytrag", "keys", "revoke", stack.key)


def run_once(folder: Path, work: Callable[["Stack", str], None]) -> None:
    """Do the work on a stack of its own, beside a page with the talk, and look around in it."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as ended:
        data = Path(ended.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="once-")))
        database_url = ended.enter_context(servers.fresh_database())
        broker_url = ended.enter_context(servers.fresh_broker())
        page = ended.enter_context(WebServer(TALK))
        secrets = put_secrets(data / "secrets", database_url, broker_url)
        stack = ended.enter_context(Stack(our_services(ONCE, here(data, secrets, free_port())), folder))
        work(stack, f"{page.url}/")
        look_around(stack)
        look_at_alerts(stack, broker_url, data / "monitoring")
    head(f"[green]Done in {time.monotonic() - began:.0f} s; all is as it should be, and taken down")


def put_secrets(folder: Path, database_url: str, broker_url: str) -> Path:
    """The folder with what `make secrets` makes for our containers, for the servers of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, url in (("database_url", database_url), ("broker_url", broker_url)):
        (folder / name).write_text(f"{url}\n")
    return folder


def look_around(stack: "Stack") -> None:
    """See that every process says it is well and counts, and that the dashboard is for admins only."""
    head("Health, metrics, dashboard")
    for (service, _), port in zip(stack.processes, stack.ports, strict=True):
        health, metrics = (httpx.get(f"http://127.0.0.1:{port}/{page}") for page in ("healthz", "metrics"))
        if not (health.is_success and "ytrag_" in metrics.text):
            raise StackFailed(f"{service.name}: {health.text}", f"{len(metrics.text)} characters of metrics")
        series = sum(line.startswith("ytrag_") for line in metrics.text.splitlines())
        say(service.name, f"healthy; {series} series at port {port}")
    dashboard = f"{stack.client.server}/dramatiq/"
    stranger, admin = (
        httpx.get(dashboard),
        httpx.get(dashboard, headers={"Authorization": f"Bearer {stack.key}"}),
    )
    if (stranger.status_code, admin.status_code) != (401, 200):
        raise StackFailed(
            f"The dashboard answers a stranger {stranger.status_code}, an admin {admin.status_code}."
        )
    say("dashboard", "a stranger is refused, an admin sees it")


def all_up(targets: Mapping[str, int], names: Sequence[str]) -> bool:
    """Whether each process answers, by how many of its name there are."""
    return all(targets.get(name, 0) == count for name, count in Counter(names).items())


@dataclass(frozen=True)
class Watched:
    """A stack as Prometheus sees it."""

    ports: dict[str, int]
    settings: dict[str, str]


def look_at_alerts(stack: "Stack", broker_url: str, folder: Path) -> None:
    """Have Prometheus and Alertmanager with our configuration look at all processes: no alarm is due."""
    if subprocess.run([ROOT / "deploy/services.sh", "tools"], capture_output=True).returncode:
        say("alerts", "not looked at: Prometheus and Alertmanager are not to be had here")
        return
    names = [service.name.partition("-")[0] for service, _ in stack.processes]
    ports = {
        f"{name}{place}": port for place, (name, port) in enumerate(zip(names, stack.ports, strict=True))
    }
    with watching(Watched(ports, {"BROKER_URL": broker_url}), folder) as monitoring:
        firing = 'ALERTS{alertstate="firing"}'
        eventually(lambda: all_up(monitoring.targets_up(), names) and monitoring.ask(firing), JOB_TIMEOUT_S)
        up, fires = (
            monitoring.targets_up(),
            {found["metric"]["alertname"] for found in monitoring.ask(firing)},
        )
    if fires != {"Watchdog"}:
        raise StackFailed(f"Alerts that fire: {', '.join(sorted(fires))}; targets that answer: {up}")
    say("alerts", f"{sum(up.values())} targets answer Prometheus; nothing fires but Watchdog")


def ingest_talk(stack: "Stack", url: str) -> None:
    """Submit the talk, print how its stages went, and look for one sentence of its script."""
    began = time.monotonic()
    job_id = stack.client.submit(url, mode="asr").job_id
    say("submitted", f"POST /api/videos/process with {url}: job {job_id}")
    status = stack.client.wait(job_id, on_status=lambda _: stack.look(), every_s=0.1, timeout_s=JOB_TIMEOUT_S)
    head("Stages")
    for stage in status.stages:
        say(stage.name, outcome(stage, status) or stage.status)
    if status.status != "completed" or status.warning:
        raise StackFailed(f"The job is {status.status}: {status.error or status.warning}")
    say("all of them", f"{sum(map(took_s, status.stages)):6.2f} s")
    say("from POST on", f"{time.monotonic() - began:6.2f} s, with all waiting between them")
    head("Search")
    if complaints := show_search(stack.client, status.video_id or "", Script.of(TALK).queries[0]):
        raise StackFailed(*complaints)


class Stack:
    """The processes of our services for as long as the block runs; they write to <folder>/<service>.log."""

    def __init__(self, services: list[Service], folder: Path) -> None:
        self.services = sorted((one for one in services if not one.profiles), key=lambda one: not one.once)
        self.folder = folder
        self.processes: list[tuple[Service, subprocess.Popen[bytes]]] = []
        self.ports: list[int] = []
        """Where each process has its metrics."""

    def __enter__(self) -> Self:
        began = time.monotonic()
        self.api = next(service for service in self.services if service.name == "api")
        self.key = run(self.api, "ytrag", "keys", "create", "admin", "--role", "admin")
        self.client = Client(f"http://127.0.0.1:{self.api.environment['YTRAG_PORT']}", self.key)
        try:
            self._start()
            self._await_health()
        except BaseException:
            self._stop()
            raise
        say("program", f"ready at {self.client.server} in {time.monotonic() - began:.1f} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def look(self) -> None:
        """StackFailed where a process has ended, with its last words; Compose would start another."""
        for service, process in self.processes:
            if process.poll() is not None:
                words = self._log(service).read_text(errors="replace").splitlines()[-LOG_LINES:]
                raise StackFailed(f"{service.name} ended with exit code {process.returncode}:", *words)

    def _log(self, service: Service) -> Path:
        return self.folder / f"{service.name}.log"

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for service in self.services:
            if service.once:
                say(service.name, run(service, *service.command).replace("\n", "; "))
                continue
            with self._log(service).open("wb") as log:  # shared by its replicas
                # In sessions of their own: Ctrl-C reaches this process alone, which then stops them in order.
                how: dict[str, Any] = {"stdout": log, "stderr": log, "cwd": ROOT, "start_new_session": True}
                for _ in range(service.replicas):
                    told = environment(service)
                    self.ports.append(int(told["YTRAG_METRICS_PORT"]))
                    process = subprocess.Popen(argv(service.command), env=told, **how)
                    self.processes.append((service, process))
            say(
                service.name,
                " ".join(service.command) + f", {service.replicas} times" * (service.replicas > 1),
            )

    def _await_health(self) -> None:
        give_up = time.monotonic() + START_TIMEOUT_S
        for service in self.services:
            while service.health and subprocess.run(argv(service.health), capture_output=True).returncode:
                self.look()
                if time.monotonic() > give_up:
                    raise StackFailed(f"{service.name} is not healthy after {START_TIMEOUT_S:.0f} s.")
                time.sleep(LOOK_EVERY_S)
        self.look()

    def _stop(self) -> None:
        """The API first, as in the file: nothing new comes in while the workers put back what they do."""
        give_up = time.monotonic() + STOP_TIMEOUT_S
        for _, process in self.processes:
            process.terminate()
        for _, process in self.processes:
            try:
                process.wait(max(0.0, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def run(service: Service, *command: str) -> str:
    """What a command prints when run as by `docker compose run SERVICE COMMAND`; StackFailed if it fails."""
    done = subprocess.run(argv(command), env=environment(service), cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise StackFailed(f"{' '.join(command)} failed:", *done.stderr.splitlines()[-LOG_LINES:])
    return done.stdout.strip()


def argv(command: Sequence[str]) -> list[str]:
    """A container's command with the programs of this Python."""
    return [*PROGRAMS[command[0]], *command[1:]]


def environment(service: Service) -> dict[str, str]:
    """A container's settings, and of this machine's environment what is no setting.

    Each container has its metrics port in a network of its own; here each process gets another port.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YTRAG_")}
    return kept | service.environment | {"YTRAG_METRICS_PORT": str(free_port())}


if __name__ == "__main__":
    sys.exit(main())
