"""How long the dashboard's pages take with 50,000 failed jobs, as answered and as a browser shows them."""

import time
from pathlib import Path
from statistics import median

import httpx

from app import config
from app.config import Config
from app.models import schema
from app.models.base import database
from app.services.keys import LOCAL
from tests.browser import chromium
from tests.jobrows import add_jobs
from tests.load.tables import table
from tests.services import fresh_database
from tests.up import Up

LOOKS = 20
FAILED = (
    "UPDATE job SET state = 'failed', error_code = 'download_failed', error_text = 'It broke off.' "
    "WHERE state = 'completed'; "
    "UPDATE message m JOIN job j ON j.id = m.subject SET m.state = 'dead', m.error = 'It broke off.', "
    "m.traceback = REPEAT('Traceback line\n', 40) WHERE j.state = 'failed'; "
    "ANALYZE TABLE job, job_stage, message"
)


def measure(folder: Path, *, jobs: int) -> list[str]:
    """Ask each page again and again and return the figures as Markdown."""
    with fresh_database() as url:
        schema.open_database(config.use(Config(data_dir=folder, database_url=url)))
        ids = add_jobs(jobs * 10 // 9, LOCAL.owner)
        for statement in FAILED.split("; "):
            database.execute_sql(statement)
        failed = database.execute_sql("SELECT COUNT(*) FROM job WHERE state = 'failed'").fetchone()[0]
        database.close()
        with Up(folder, "serve", DATABASE_URL=url) as up:
            return [f"{failed} failed jobs.", "", *_asked(up, ids[len(ids) // 2])]


def _asked(up: Up, middle: str) -> list[str]:
    pages = {
        "failed": "/dramatiq/jobs/failed",
        "failed, from the middle on": f"/dramatiq/jobs/failed?cursor={middle}",
        "failed, searched for a code": "/dramatiq/jobs/failed?error_code=download_failed",
        "failed, searched for a text that is there": "/dramatiq/jobs/failed?q=127.0.0.1",
        "failed, searched for one that is not": "/dramatiq/jobs/failed?q=elephants",
        "failed messages of a queue": "/dramatiq/queues/download/failed",
        "queues": "/dramatiq/",
    }
    rows = []
    with httpx.Client(base_url=up.client.server, timeout=60) as client, chromium() as browser:
        page = browser.new_page(base_url=up.client.server)
        for name, path in pages.items():
            took = [_ms(lambda path=path: client.get(path).raise_for_status()) for _ in range(LOOKS)]
            shown = [_ms(lambda path=path: page.goto(path, wait_until="load")) for _ in range(LOOKS // 4)]
            rows.append((name, f"{median(took):.0f}", f"{max(took):.0f}", f"{median(shown):.0f}"))
    return table(("page", "answered, ms", "slowest", "shown by Chromium, ms"), rows)


def _ms(do: object) -> float:
    began = time.perf_counter()
    do()  # type: ignore[operator]  # any call
    return 1000 * (time.perf_counter() - began)
