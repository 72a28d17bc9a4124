"""Whatever is taken away, what was accepted ends, once."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar

import pika
import pytest

from app.client import Client
from tests.conftest import FIXTURES
from tests.e2e.test_kill import promises_are_kept
from tests.rows import rows
from tests.services import Server, fresh_broker, fresh_database
from tests.up import Production, Program
from tests.webserver import WebServer

T = TypeVar("T")

SETTINGS = {"WHISPER_MODEL": "packaged-tiny.en", "LEASE_S": "3", "POLL_S": "0.2", "WORKERS_ASR": "2x1"}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """One house for all faults: after each it must go on anyway."""
    folder = tmp_path_factory.mktemp("house")
    with ExitStack() as stack:
        where = {
            "database_url": stack.enter_context(fresh_database()),
            "broker_url": stack.enter_context(fresh_broker()),
        }
        yield stack.enter_context(Production(folder, **where, **SETTINGS))


def submit(client: Client, web: WebServer, count: int) -> list[str]:
    return [
        client.submit(f"{web.url}/speech/jfk.flac", language="en", force=True, priority=priority).job_id
        for priority in (["low", "default", "high", "critical"] * count)[:count]
    ]


def all_complete(production: Production, jobs: list[str]) -> None:
    for job in jobs:
        ended = production.client.wait(job, timeout_s=240)
        assert ended.status == "completed", ended.error
    promises_are_kept(production)


def test_jobs_are_accepted_while_rabbitmq_is_down_and_done_when_it_is_back(
    production: Production, rabbitmq: Server, web: WebServer
) -> None:
    rabbitmq.stop()
    jobs = submit(production.client, web, 3)
    rabbitmq.start()

    all_complete(production, jobs)


def test_rabbitmq_killed_in_mid_work_loses_and_doubles_nothing(
    production: Production, rabbitmq: Server, web: WebServer
) -> None:
    jobs = submit(production.client, web, 6)
    production.client.wait(jobs[3], timeout_s=180)  # the critical one, so that the others are on their way
    rabbitmq.kill()
    rabbitmq.start()

    all_complete(production, jobs)


def test_a_database_killed_in_mid_work_loses_and_doubles_nothing(
    production: Production, mariadb: Server, web: WebServer
) -> None:
    jobs = submit(production.client, web, 6)
    production.client.wait(jobs[3], timeout_s=180)
    mariadb.kill()
    mariadb.start()

    all_complete(production, jobs)


def test_messages_that_rabbitmq_lost_are_published_again(production: Production, web: WebServer) -> None:
    all_complete(production, submit(production.client, web, 1))  # after which all queues are there
    production.others["worker"].stop()
    jobs = submit(production.client, web, 3)
    assert purged(production, "download", len(jobs)) == len(jobs)
    production.others["worker"].start()

    all_complete(production, jobs)


@pytest.mark.parametrize("victim", ["dispatcher1", "worker", "api"])
def test_a_process_that_is_killed_and_started_again_loses_and_doubles_nothing(
    production: Production, web: WebServer, victim: str
) -> None:
    jobs = submit(production.client, web, 4)
    program = production.others.get(victim, production)
    program.kill()
    Program.start(program)

    all_complete(production, jobs)


def test_a_worker_stopped_beyond_its_lease_and_then_continued_stores_nothing_twice(
    production: Production,
) -> None:
    with rows(production.database_url) as query:
        job = production.client.upload(FIXTURES / "talk" / "talk.mp4").job_id
        chunk = "FROM chunk WHERE job_id = ? AND state = 'running'"
        frozen = awaited(lambda: query(f"SELECT worker {chunk}", job))[0][0]
        os.kill(pid := int(frozen.rpartition(":")[2]), signal.SIGSTOP)
        try:
            awaited(lambda: query(f"SELECT worker {chunk} AND attempt = 2", job))
        finally:
            os.kill(pid, signal.SIGCONT)

        all_complete(production, [job])
        assert query("SELECT MAX(attempt) FROM chunk WHERE job_id = ?", job) == [(2,)]


def purged(production: Production, queue: str, count: int) -> int:
    """Empty the queue once it holds so many messages; returns how many there were."""
    with pika.BlockingConnection(pika.URLParameters(production.settings["BROKER_URL"])) as connection:
        channel = connection.channel()
        awaited(lambda: channel.queue_declare(queue, passive=True).method.message_count >= count)
        return int(channel.queue_purge(queue).method.message_count)


def awaited(look: Callable[[], T]) -> T:
    """What the look finds, once it finds something."""
    give_up = time.monotonic() + 120
    while not (found := look()):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return found
