"""How many jobs `ytrag serve` accepts a second, against a bare view that commits one row."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from app.config import Config
from tests.load.tables import spread, table
from tests.services import fresh_database
from tests.up import ROOT, Up, free_port

TARGET = 0.5
CLIENTS = 4
WARM_UP = 40


def measure(folder: Path, *, requests: int, runs: int) -> list[str]:
    """Send requests to both in turns and return the figures as Markdown."""
    with fresh_database() as url, Up(folder, command="serve", DATABASE_URL=url) as ours, bare(url) as port:
        targets = {"ours": (int(ours.settings["PORT"]), "/api/videos/process"), "bare view": (port, "/")}
        found: dict[str, list[float]] = {name: [] for name in targets}
        for number in range(runs + 1):
            for name, (where, path) in targets.items():
                count = requests if number else WARM_UP
                per_s = rate(where, path, count, f"{name}{number}".replace(" ", ""))
                found[name] += [per_s] if number else []
    ratios = [a / b for a, b in zip(found["ours"], found["bare view"], strict=True)]
    verdict = "met" if median(ratios) >= TARGET else "missed"
    return [
        f"Jobs accepted over a bare Flask view: **{spread(ratios, 2)}**; target ≥ {TARGET}: {verdict}.",
        "",
        *table(("POST", "requests a second"), [(name, spread(per_s)) for name, per_s in found.items()]),
        "",
        f"{CLIENTS} clients, each one request after the other, {requests} requests a run.",
    ]


@contextmanager
def bare(url: str) -> Iterator[int]:
    """The bare view behind gunicorn, with the threads that ours has."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "tests.load.bare_view:app", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--threads", str(Config().http_threads()), "--no-control-socket"),
    ]
    environment = {**os.environ, "BENCH_DATABASE_URL": url}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            await_port(port)
            yield port
        finally:
            process.terminate()


def await_port(port: int) -> None:
    """Return when something answers there."""
    give_up = time.monotonic() + 30
    while True:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
        except ConnectionRefusedError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)
        else:
            return


def rate(port: int, path: str, requests: int, name: str) -> float:
    """Requests answered a second."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        began = time.perf_counter()
        sent = [
            clients.submit(send, port, path, requests // CLIENTS, f"{name}/{number}")
            for number in range(CLIENTS)
        ]
        answered = sum(one.result() for one in sent)
        return answered / (time.perf_counter() - began)


def send(port: int, path: str, requests: int, name: str) -> int:
    """Send so many requests over one connection; each must be accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(requests):
        body = json.dumps({"url": f"http://127.0.0.1/{name}/{number}.mp4"})
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise RuntimeError(f"{path} answered {answer.status}")
    return requests
