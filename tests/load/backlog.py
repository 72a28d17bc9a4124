"""What a backlog costs: the engine with ever more waiting jobs, in MariaDB's outbox and in RabbitMQ."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from app import config
from app.config import Config
from app.models import schema
from app.models.base import database
from app.services import census
from tests.load import engine
from tests.load.tables import spread, table
from tests.rows import Query, rows
from tests.services import fresh_broker, fresh_database

WAITING = (2_000, 10_000, 100_000)
WINDOW_S = 20.0
CRITICAL, LOOKS = 10, 20
HOST = "http://127.0.0.1/late"
ENDED = "SELECT COUNT(*) FROM job WHERE state = 'completed'"
SENT = "SELECT COUNT(*) FROM outbox"


def measure(folder: Path, *, most: int) -> list[str]:
    """Fill ever longer queues up to this length, look at each, and return the figures as Markdown."""
    heads: tuple[str, ...] = ()
    found = []
    for waiting in sorted({count for count in WAITING if count < most} | {most}):
        place = folder / str(waiting)
        place.mkdir()
        figures = looked_at(place, waiting)
        print(f"{waiting}: {figures}", flush=True)
        heads = ("waiting jobs", *figures)
        found.append((f"{waiting:,}", *figures.values()))
    about = f"{CRITICAL} critical jobs one after the other; {LOOKS} more accepted; {LOOKS} times counted."
    return [*table(heads, found), "", about]


def looked_at(folder: Path, waiting: int) -> dict[str, str]:
    """The figures of one length: while the workers work, and jobs come."""
    with ExitStack() as stack:
        url, broker = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
        environment = engine.environment(url, broker, folder, threads=engine.THREADS)
        engine.fill(environment, waiting, priority="low")
        query = stack.enter_context(rows(url))
        with engine.running(engine.COMMANDS, environment, folder):
            engine.await_(lambda: query(ENDED)[0][0] >= engine.THREADS)
            done_before, sent_before, began = query(ENDED)[0][0], query(SENT)[0][0], time.monotonic()
            ends = [critical_s(environment, query, number) for number in range(CRITICAL)]
            time.sleep(max(0.0, WINDOW_S - (time.monotonic() - began)))
            took_s = time.monotonic() - began
            done = (query(ENDED)[0][0] - done_before) / took_s
            sent = max(0, sent_before - query(SENT)[0][0]) / took_s
            schema.open_database(config.use(Config.from_env(environment)))
            accepted = [taken_ms(partial(engine.take_in, "low", f"{HOST}/{n}.mp4")) for n in range(LOOKS)]
            counted = [taken_ms(count_all) for _ in range(LOOKS)]
            database.close()
        return {
            "done a second": f"{done:.1f}",
            "leave the outbox a second (0: all have)": f"{sent:.0f}",
            "a critical job, start to end, s": spread(ends, 2),
            "one accepted, ms": f"{median(accepted):.1f}",
            "all counted, ms": f"{median(counted):.1f}",
        }


def critical_s(environment: dict[str, str], query: Query, number: int) -> float:
    """Seconds from a critical job's acceptance to its end."""
    job_id = engine.accept(environment, "critical", f"http://127.0.0.1/critical{number}.mp4")
    times = "SELECT created_at, finished_at FROM job WHERE id = ?"
    engine.await_(lambda: query(times, job_id)[0][1] is not None)
    created, finished = query(times, job_id)[0]
    took: float = (finished - created).total_seconds()
    return took


def count_all() -> None:
    """What the exporter asks of the jobs and messages at each scrape."""
    for count in (
        census.jobs_in_states,
        census.failed_unattended,
        census.oldest_ages_s,
        census.unsent,
        census.unsent_age_s,
    ):
        count()


def taken_ms(look: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    began = time.perf_counter()
    look()
    return 1000 * (time.perf_counter() - began)
