"""How long status, active and list take with 100,000 jobs in the table, against an almost empty one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.models import schema
from app.models.base import database
from app.services.keys import LOCAL
from app.web.application import create_app
from tests.jobrows import add_jobs
from tests.load.tables import table
from tests.services import fresh_database

TARGET = 1.5
FEW = 600
"""Jobs in the almost empty table: pages of 50 are full, also of those that wait."""

LOOKS = 60


def measure(folder: Path, *, jobs: int) -> list[str]:
    """Ask both tables in turns and return the figures as Markdown."""
    with house(folder / "few", FEW) as few, house(folder / "many", jobs) as many:
        asked = {name: (times(few, make), times(many, make)) for name, make in QUESTIONS.items()}
        for name, make in QUESTIONS.items():  # in turns, so that neither has the quieter time
            for _ in range(2):
                asked[name] = (asked[name][0] + times(few, make), asked[name][1] + times(many, make))
    rows = [(name, median(a), median(b), median(b) / median(a)) for name, (a, b) in asked.items()]
    worst = max(row[3] for row in rows)
    verdict = "met" if worst <= TARGET else "missed"
    return [
        f"Slowest GET over one on an almost empty table: **{worst:.2f}**; target ≤ {TARGET}: {verdict}.",
        "",
        *table(
            ("GET", f"{FEW} jobs, ms", f"{jobs} jobs, ms", "ratio"),
            [(name, f"{a:.2f}", f"{b:.2f}", f"{ratio:.2f}") for name, a, b, ratio in rows],
        ),
        "",
        f"Medians of {3 * LOOKS} requests inside one process, on MariaDB. A tenth of the jobs waits.",
    ]


House = tuple[Config, FlaskClient, list[str]]


@contextmanager
def house(folder: Path, jobs: int) -> Iterator[House]:
    """A database with so many jobs, and the API on it."""
    with fresh_database() as url:
        settings = Config(data_dir=folder, database_url=url)
        enter(settings)
        ids = add_jobs(jobs, LOCAL.owner)
        database.execute_sql("ANALYZE TABLE job, job_stage, message")
        yield settings, create_app(settings).test_client(), ids
        database.close()


def enter(settings: Config) -> None:
    """Make this the house that the process works in."""
    schema.open_database(config.use(settings))


def times(house: House, question: Callable[[list[str]], list[str]]) -> list[float]:
    """Milliseconds that each request took."""
    settings, client, ids = house
    enter(settings)
    taken = []
    for path in question(ids):
        began = time.perf_counter()
        answer = client.get(path)
        taken.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
    return taken


def spread_over(ids: list[str], last_digit: int) -> list[str]:
    """Ids from the whole table of jobs whose number ends so."""
    alike = ids[last_digit::10]
    return [alike[number * len(alike) // LOOKS] for number in range(LOOKS)]


QUESTIONS: dict[str, Callable[[list[str]], list[str]]] = {
    "status of one that is done": lambda ids: [f"/api/jobs/{i}/status" for i in spread_over(ids, 0)],
    "status of one that waits": lambda ids: [f"/api/jobs/{i}/status" for i in spread_over(ids, 9)],
    "active": lambda _ids: ["/api/jobs/active"] * LOOKS,
    "list": lambda _ids: ["/api/jobs"] * LOOKS,
    "list of what failed": lambda _ids: ["/api/jobs?status=failed&limit=5"] * LOOKS,
    "list before an id in the middle": lambda ids: (
        [f"/api/jobs?cursor={ids[len(ids) // 2]}&limit=20"] * LOOKS
    ),
}
