"""Random faults against the production form, and what became of what was accepted: python -m tests.chaos.run.

CHAOS_S seconds (default 120) with SEED (default: any). The same seed gives the same faults in the same order;
what they meet depends on the machine.
"""

import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pika
from pika.exceptions import ChannelClosedByBroker

from app.client import RequestRefused, ServerUnreachable
from app.stages import CHUNK_ACTOR, NAMES
from tests.chaos.proxy import Proxy
from tests.conftest import FIXTURES
from tests.load.tables import table
from tests.load.trees import tree
from tests.rows import Query, broken_promises, rows
from tests.services import fresh_broker, fresh_database, management_url
from tests.up import Production, Program
from tests.webserver import WebServer

LEASE_S = 3.0
SETTINGS = {
    "WHISPER_MODEL": "packaged-tiny.en",
    "CHUNK_S": "10",
    "LEASE_S": f"{LEASE_S:g}",
    "POLL_S": "0.2",
    "RETRY_DELAYS_S": ",".join(["0.5"] * 40),  # so many that no fault here may spend them
}
STILL_S = 60
"""When nothing has happened for so long, nothing will: a slow machine has a long way to go."""
JOB_EVERY_S = 2.5
CLAIMABLE = ("job_stage", "chunk")
AT_WORK_S = 30
"""Longest wait before a fault until it can meet work: workers that were killed must come back first."""


@dataclass
class Report:
    """What was done to the house and what it made of it; broken is empty where all promises were kept."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    idle: int = 0
    repeated: int = 0
    drained_s: float = 0.0
    broken: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """As Markdown."""
        ends = ", ".join(f"{count} {state}" for state, count in sorted(self.ends.items()))
        return [
            *table(("fault survived", "times"), sorted(self.faults.items())),
            "",
            (
                f"Seed {self.seed}: {sum(self.faults.values())} faults; {len(self.accepted)} jobs accepted "
                f"({self.refused} requests went unanswered and were sent again): {ends}. "
                f"{self.repeated} stages or chunks took more than one attempt; "
                f"{self.idle} faults met no work in hand. "
                f"All was quiet {self.drained_s:.1f} s after the last fault."
            ),
            *(f"BROKEN: {one}" for one in self.broken),
        ]


class Chaos:
    """The faults that can be done to a house in its production form."""

    def __init__(
        self, house: Production, broker: Proxy, database: Proxy, query: Query, vhost: str, random: Random
    ) -> None:
        self.house, self.random, self.query, self.vhost = house, random, query, vhost
        self.faults: dict[str, Callable[[], None]] = {
            "worker process killed": self.kill_worker,
            "all workers killed": self.kill_workers,
            "dispatcher killed": lambda: self.house.others[
                self.random.choice(["dispatcher1", "dispatcher2"])
            ].kill(),
            "API killed": self.house.kill,
            "worker process stopped beyond its lease": self.freeze_worker,
            "queue purged": self.purge,
            "RabbitMQ's connections reset": broker.reset,
            "RabbitMQ refusing": lambda: self.for_a_while(broker.refuse, broker.heal),
            "RabbitMQ silent": lambda: self.for_a_while(broker.withhold, broker.heal),
            "MariaDB's connections reset": database.reset,
            "MariaDB refusing": lambda: self.for_a_while(database.refuse, database.heal),
            "MariaDB silent": lambda: self.for_a_while(database.withhold, database.heal),
        }

    def run(self, seconds: float, report: Report) -> None:
        """Do one after the other, each kind once before any comes again."""
        give_up, left = time.monotonic() + seconds, list[str]()
        while time.monotonic() < give_up:
            left = left or self.random.sample(sorted(self.faults), len(self.faults))
            name = left.pop()
            report.idle += not self.await_work()
            print(f"  {name}", flush=True)
            self.faults[name]()
            report.faults[name] += 1
            time.sleep(self.random.uniform(0.2, 1.5))
            self.start_again()

    def start_again(self) -> None:
        """What a supervisor does: start what has ended."""
        for program in (self.house, *self.house.others.values()):
            if program.process.poll() is not None:
                Program.start(program)

    def await_work(self) -> bool:
        """Wait until a worker is in the middle of a stage; False if none ever is."""
        give_up = time.monotonic() + AT_WORK_S
        while not (found := self.at_work()) and time.monotonic() < give_up:
            time.sleep(0.02)
        return bool(found)

    def at_work(self) -> list[int]:
        """The worker processes that hold a stage or a chunk, of those that live."""
        held = "state = 'running' AND lease_until IS NOT NULL"
        holders = self.query(" UNION ".join(f"SELECT worker FROM {name} WHERE {held}" for name in CLAIMABLE))
        return sorted({int(worker.rpartition(":")[2]) for (worker,) in holders} & set(self.workers()))

    def workers(self) -> list[int]:
        """All processes of the workers, their supervisor first."""
        return list(tree(self.house.others["worker"].process.pid))

    def kill_worker(self) -> None:
        os.kill(self.random.choice(self.at_work() or self.workers()[1:]), signal.SIGKILL)

    def kill_workers(self) -> None:
        for pid in self.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.house.others["worker"].process.wait()

    def freeze_worker(self) -> None:
        os.kill(pid := self.random.choice(self.at_work() or self.workers()[1:]), signal.SIGSTOP)
        time.sleep(1.3 * LEASE_S)
        os.kill(pid, signal.SIGCONT)

    def purge(self) -> None:
        with pika.BlockingConnection(pika.URLParameters(self.vhost)) as connection:
            for queue in (*NAMES, CHUNK_ACTOR):
                with suppress(ChannelClosedByBroker):  # nobody has declared it yet
                    connection.channel().queue_purge(queue)

    def for_a_while(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        begin()
        time.sleep(self.random.uniform(0.5, 1.5 * LEASE_S))
        end()


def feed(house: Production, web: WebServer, report: Report, stop: threading.Event, random: Random) -> None:
    """Send jobs until told to stop, each until it is accepted."""
    number = 0
    while not stop.wait(JOB_EVERY_S):
        number += 1
        priority = random.choice(["low", "default", "high", "critical"])
        url, key = f"{web.url}/speech/jfk.flac?{number}", f"{report.seed}-{number}"
        while not stop.is_set():
            try:
                job = house.client.submit(
                    url, idempotency_key=key, language="en", priority=priority, force=True
                )
                report.accepted[job.job_id] = key
                break
            except (RequestRefused, ServerUnreachable):
                report.refused += 1
                time.sleep(0.3)


def chaos(folder: Path, *, seconds: float, seed: int) -> Report:
    """Let faults loose for so long, then wait until all is done, and look at the rows."""
    report, random = Report(seed), Random(seed)
    with ExitStack() as stack:
        url, vhost = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
        database, broker = (
            stack.enter_context(Proxy.before(one, port)) for one, port in ((url, 3306), (vhost, 5672))
        )
        web = stack.enter_context(WebServer(FIXTURES))
        house = Production(
            folder,
            database_url=behind(database, url),
            broker_url=behind(broker, vhost),
            BROKER_MANAGEMENT_URL=management_url() or "",
            **SETTINGS,
        )
        stack.enter_context(house)
        stop = threading.Event()
        feeder = threading.Thread(target=feed, args=(house, web, report, stop, Random(seed + 1)))
        feeder.start()
        query = stack.enter_context(rows(url))
        try:
            Chaos(house, broker, database, query, vhost, random).run(seconds, report)
        finally:
            stop.set()
            feeder.join(60)
        settle(url, report)
    return report


def settle(url: str, report: Report) -> None:
    """Wait until every promise is kept, or it is too late; then count."""
    began = moved = time.monotonic()
    done = None
    with rows(url) as query:
        while (broken := broken_promises(query)) and time.monotonic() - moved < STILL_S:
            if (now := query("SELECT COUNT(*) FROM job_event")) != done:
                done, moved = now, time.monotonic()
            time.sleep(0.1)
        report.drained_s = time.monotonic() - began
        states = {str(job): str(state) for job, state in query("SELECT id, state FROM job")}
        report.ends.update(states.values())
        lost = sorted(report.accepted.keys() - states.keys())
        bad = query("SELECT id, error_code, error_text FROM job WHERE state <> 'completed'")
        report.broken = [
            *broken,
            *([f"accepted and not there: {lost}"] if lost else []),
            *([f"not completed: {bad}"] if bad else []),
        ]
        counts = [query(f"SELECT COUNT(*) FROM {name} WHERE attempt > 1") for name in CLAIMABLE]
        report.repeated = sum(count for ((count,),) in counts)


def behind(proxy: Proxy, url: str, *, at: str = "127.0.0.1") -> str:
    """The URL by way of the proxy."""
    credentials = urlsplit(url).netloc.rpartition("@")[0]
    return urlsplit(url)._replace(netloc=f"{credentials}@{at}:{proxy.port}").geturl()


def main() -> int:
    """Print the table; 0 if every promise was kept."""
    seconds = float(os.environ.get("CHAOS_S") or 120)
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    print(f"Seed {seed}, {seconds:g} s of faults:", flush=True)
    with tempfile.TemporaryDirectory(prefix="ytrag-chaos-") as folder:
        report = chaos(Path(folder), seconds=seconds, seed=seed)
    print("\n".join(report.lines()))
    return int(bool(report.broken))


if __name__ == "__main__":
    sys.exit(main())
