"""Jobs that do nothing, then tiny videos, through the production form while clients send, poll and listen."""

import http.client
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

import pika

from app.stages import POOLS
from tests.conftest import FIXTURES
from tests.load import engine
from tests.load.crowd import Listening, p95
from tests.load.tables import table
from tests.load.trees import memory_mb, tree
from tests.rows import Query, broken_promises, rows
from tests.services import fresh_broker, fresh_database
from tests.up import Program, Up
from tests.webserver import WebServer

SENDERS, POLLERS, LISTENERS = 4, 8, 5
POLL_EVERY_S = 0.2
LOOKS = 5
"""So often the memory is looked at, from the first job's end to the last one's."""
TABLES = ("job", "job_stage", "job_event", "message", "message_event", "outbox", "chunk", "delivery", "lease")
ENDED = "SELECT COUNT(*) FROM job WHERE state NOT IN ('scheduled', 'pending', 'running', 'retrying')"


@dataclass
class Phase:
    """What was measured of one kind of jobs; times in milliseconds, memory in 10^6 bytes by process."""

    jobs: int
    sent_s: float = 0.0
    done_s: float = 0.0
    posts: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    heard: int = 0
    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ids: list[str] = field(default_factory=list)


def measure(folder: Path, *, jobs: int, videos: int) -> list[str]:
    """Run both kinds one after the other in one house, and return the figures as Markdown."""
    with ExitStack() as stack:
        url, broker = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
        environment = engine.environment(
            url, broker, folder, threads=engine.THREADS, BENCH_VIDEO=engine.VIDEO
        )
        engine.fill(environment, 0)
        more = {"DATABASE_URL": url, "BROKER_URL": broker, "REQUESTS_PER_MINUTE": "0"}
        models = {"WHISPER_MODEL": "packaged-tiny.en", "SERVER_NAME": "load"}
        serve = stack.enter_context(Up(folder / "data", "serve", **more, **models))
        web = stack.enter_context(WebServer(FIXTURES))
        query = stack.enter_context(rows(url))
        with engine.running(engine.COMMANDS, environment, folder):
            nothing = run(serve, query, jobs, f"{web.url}/nothing/{{}}.mp4", {})
        real = ("dispatcher", "worker")
        for name in real:
            stack.enter_context(Program(name, folder / "data", **serve.settings))
        tiny = run(serve, query, videos, f"{web.url}/speech/jfk.flac?{{}}", {"language": "en"})
        promises_kept(query)
        return described({"no-op": nothing, "tiny video": tiny}, query, depths(broker))


def run(serve: Up, query: Query, count: int, address: str, wishes: dict[str, str]) -> Phase:
    """Send so many jobs while others poll and listen; returns when all have ended."""
    phase, before, port = Phase(count), query(ENDED)[0][0], int(serve.settings["PORT"])
    began, stop = time.monotonic(), threading.Event()
    numbers = iter(range(count))  # its next() is one step for all threads
    with Listening(port, LISTENERS) as listening, ThreadPoolExecutor(SENDERS + POLLERS) as pool:
        senders = [pool.submit(send, port, numbers, address, wishes, phase) for _ in range(SENDERS)]
        pollers = [pool.submit(poll, port, phase, stop, Random(number)) for number in range(POLLERS)]
        ended = 0
        try:
            while ended < count:
                time.sleep(0.2)
                ended = query(ENDED)[0][0] - before
                if not phase.sent_s and all(sender.done() for sender in senders):
                    phase.sent_s = time.monotonic() - began
                while len(phase.memory["API"]) * count < ended * LOOKS:
                    look(serve, phase)
                if time.monotonic() - began > 3600:
                    raise RuntimeError(f"{ended} of {count} jobs had ended after an hour.")
        finally:
            stop.set()
        phase.done_s = time.monotonic() - began
        for worker in (*senders, *pollers):
            worker.result()
        phase.heard = listening.heard
    return phase


def send(port: int, numbers: Iterator[int], address: str, wishes: dict[str, str], phase: Phase) -> None:
    """Send jobs one after the other, until all numbers are taken."""
    for number in numbers:
        body = json.dumps({"url": address.format(number), "force": True, **wishes})
        took, answer = ask(port, "POST", "/api/videos/process", body)
        phase.posts.append(took)
        phase.ids.append(answer["job_id"])


def poll(port: int, phase: Phase, stop: threading.Event, random: Random) -> None:
    """Look at one or another job's status, as its owner would."""
    while not stop.wait(POLL_EVERY_S):
        if phase.ids:
            took, _ = ask(port, "GET", f"/api/jobs/{random.choice(phase.ids)}/status")
            phase.polls.append(took)


def ask(port: int, method: str, path: str, body: str | None = None) -> tuple[float, dict[str, str]]:
    """Milliseconds that the request took, on a connection of its own, and the answer."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status not in (200, 202):
        raise RuntimeError(f"{method} {path} was answered with {answer.status}.")
    return 1000 * (time.perf_counter() - began), json.loads(text)


def look(serve: Up, phase: Phase) -> None:
    """Note what each process holds in memory."""
    held: dict[str, float] = defaultdict(float)
    api = set(tree(serve.process.pid))
    for pid in set(tree(os.getpid())) - {os.getpid()}:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            held["API" if pid in api else named(command)] += memory_mb(pid)[1]
        except (OSError, KeyError):  # it has ended meanwhile
            continue
    for name, size in held.items():
        phase.memory[name].append(size)


def named(command: list[str]) -> str:
    """What a process is called in the table."""
    if "actors.dispatcher" in command or "dispatcher" in command:
        return "dispatcher"
    for sign in ("--serve", "tests.load.noop_stages"):
        if sign in command:
            return f"worker {command[command.index(sign) + 1]}"
    return "supervisor" if "actors.worker" in command else "others"


def promises_kept(query: Query) -> None:
    """Return when nothing is left to be done; RuntimeError where that never comes."""
    give_up = time.monotonic() + 60
    while broken := broken_promises(query):
        if time.monotonic() > give_up:
            raise RuntimeError(f"The house is not at rest: {broken}")
        time.sleep(0.5)


def depths(broker: str) -> dict[str, int]:
    """How many messages each queue of RabbitMQ holds."""
    with pika.BlockingConnection(pika.URLParameters(broker)) as connection:
        channel = connection.channel()
        return {name: channel.queue_declare(name, passive=True).method.message_count for name in POOLS}


def described(phases: dict[str, Phase], query: Query, left: dict[str, int]) -> list[str]:
    """All figures."""
    states: dict[str, int] = dict(query("SELECT state, COUNT(*) FROM job GROUP BY state"))
    heads = ("jobs", "number", "accepted a second", "done a second", "POST: median, ms", "p95, ms",
             "status: median, ms", "p95, ms", "events heard")  # fmt: skip
    speeds = [
        (
            *(name, phase.jobs, f"{phase.jobs / phase.sent_s:.1f}", f"{phase.jobs / phase.done_s:.1f}"),
            *(f"{figure:.1f}" for ms in (phase.posts, phase.polls) for figure in (median(ms), p95(ms))),
            phase.heard,
        )
        for name, phase in phases.items()
    ]
    shares = [f"{100 * number // LOOKS} %" for number in range(1, LOOKS + 1)]
    memory = [
        (f"{kind}: {name}", *(f"{size:.0f}" for size in sizes[:LOOKS]))
        for kind, phase in phases.items()
        for name, sizes in sorted(phase.memory.items())
        if len(sizes) >= LOOKS
    ]
    counts = [(name, query(f"SELECT COUNT(*) FROM {name}")[0][0]) for name in TABLES]
    ends = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return [
        f"At the end: {ends}; **{sum(left.values())}** messages in RabbitMQ's queues; every promise kept.",
        "",
        *table(heads, speeds),
        "",
        *table(("memory (Pss, MB) when so many had ended", *shares), memory),
        "",
        *table(("table", "rows at the end"), counts),
    ]
