"""How soon `ytrag serve` answers a POST alone, among 50 clients, and while 300 listen to every event."""

import http.client
import json
import math
import selectors
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

from tests.load.tables import table
from tests.up import Up

CLIENTS, LISTENERS = 50, 300
EVERY_S = 5.0
"""A client of many sends a request so often; the numbers say what comes of it when they do not wait."""

NUMBERS = count()
AHEAD = (datetime.now(UTC) + timedelta(days=365)).isoformat()
"""None of the jobs starts."""


def measure(folder: Path, *, requests: int) -> list[str]:
    """Send requests in turns, alone, with listeners, and among clients; the figures as Markdown."""
    with Up(
        folder / "data", command="serve", REQUESTS_PER_MINUTE="0", EVENT_LISTENERS=str(LISTENERS)
    ) as serve:
        port = int(serve.settings["PORT"])
        alone, heard, late = list[float](), list[float](), list[float]()
        post(port, 20)
        for _ in range(3):
            alone += post(port, requests // 3, pause_s=0.05)
            with Listening(port) as listening:
                before = listening.heard
                heard += post(port, requests // 3, pause_s=0.05)
                late.append(listening.settle(before, requests // 3))
        paced = among(port, max(4, requests // CLIENTS), EVERY_S)
        hurried = among(port, max(4, requests // CLIENTS), 0.0)
    return described(alone, heard, late, paced, hurried)


def post(port: int, requests: int, pause_s: float = 0.0) -> list[float]:
    """Milliseconds that each of so many requests for different videos took, each on its own connection."""
    took = []
    for _ in range(requests):
        time.sleep(pause_s)
        body = json.dumps({"url": f"http://127.0.0.1/{next(NUMBERS)}.mp4", "run_at": AHEAD})
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/api/videos/process", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        took.append(1000 * (time.perf_counter() - began))
        if answer.status != 202:
            raise RuntimeError(f"A request was answered with {answer.status}.")
    return took


def among(port: int, requests: int, pause_s: float) -> list[float]:
    """The same by many clients at once, who begin one after the other."""

    def client(number: int) -> list[float]:
        time.sleep(pause_s * number / CLIENTS)
        return post(port, requests, pause_s)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [ms for took in pool.map(client, range(CLIENTS)) for ms in took]


class Listening:
    """Listeners to all events for as long as the block runs, read by one thread."""

    def __init__(self, port: int, listeners: int = LISTENERS) -> None:
        self.heard, self.last_at = 0, 0.0
        self.stopped = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(listeners)]
        for each in self.sockets:
            each.sendall(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for each in self.sockets:
            head = each.recv(4096)
            if b" 200 " not in head:
                raise RuntimeError(f"A listener was turned away: {head!r}")
            self.selector.register(each, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self.thread.start()
        time.sleep(1)
        return self

    def _read(self) -> None:
        while not self.stopped.is_set():
            for key, _ in self.selector.select(timeout=0.1):
                part: socket.socket = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                text = part.recv(1 << 16)
                if events := text.count(b"\nevent: "):
                    self.heard += events
                    self.last_at = time.perf_counter()

    def settle(self, before: int, requests: int) -> float:
        """Seconds after now at which the last listener has heard of the last request."""
        ended = time.perf_counter()
        while self.heard - before < requests * LISTENERS:
            if time.perf_counter() - ended > 30:
                raise RuntimeError(f"{self.heard - before} of {requests * LISTENERS} events came.")
            time.sleep(0.01)
        return max(0.0, self.last_at - ended)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self.thread.join()
        for each in self.sockets:
            each.close()
        time.sleep(1)


def described(
    alone: list[float], heard: list[float], late: list[float], paced: list[float], hurried: list[float]
) -> list[str]:
    """What the targets are about, then all figures."""
    by_listeners, by_clients = median(heard) / median(alone), p95(paced) / median(alone)
    rows = [
        (name, len(ms), *(f"{figure:.1f}" for figure in (median(ms), p95(ms), max(ms))))
        for name, ms in (
            ("alone", alone),
            (f"with {LISTENERS} listeners", heard),
            (f"{CLIENTS} clients, each every {EVERY_S:g} s", paced),
            (f"{CLIENTS} clients without a pause", hurried),
        )
    ]
    listened = (
        f"Median with {LISTENERS} listeners over alone: **{by_listeners:.2f}**; target ≤ 1.5: "
        f"{verdict(by_listeners <= 1.5)}. The last of them heard of the last job {max(late):.2f} s after its "
        f"answer at most; target ≤ 1 s: {verdict(max(late) <= 1)}."
    )
    crowded = (
        f"p95 among {CLIENTS} clients over the median alone: **{by_clients:.2f}**; target ≤ 2: "
        f"{verdict(by_clients <= 2)}."
    )
    heads = ("POST", "requests", "median, ms", "p95, ms", "longest, ms")
    return [listened, "", crowded, "", *table(heads, rows)]


def verdict(met: bool) -> str:
    """A target's."""
    return "met" if met else "missed"


def p95(ms: list[float]) -> float:
    """What 95 of 100 do not exceed."""
    return sorted(ms)[math.ceil(0.95 * len(ms)) - 1]
