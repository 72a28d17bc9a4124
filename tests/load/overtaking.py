"""How long a critical job waits at each stage behind ten thousand low ones; workers serve several queues."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from tests.load import engine
from tests.load.tables import table
from tests.rows import Query, rows
from tests.services import fresh_broker, fresh_database

STAGE_S = 0.3
SLACK_S = 1.0
BUSY = "SELECT COUNT(*) FROM job_stage WHERE name = 'index' AND state = 'completed'"


def measure(folder: Path, *, jobs: int) -> list[str]:
    """Let the low ones fill every queue, send a critical one, and return its waits as Markdown."""
    with ExitStack() as stack:
        url, broker = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
        environment = engine.environment(url, broker, folder, threads=1, BENCH_STAGE_S=str(STAGE_S))
        engine.fill(environment, jobs, priority="low")
        query = stack.enter_context(rows(url))
        with engine.running(engine.COMMANDS, environment, folder):
            engine.await_(lambda: query(BUSY)[0][0] >= 5)
            queued = query("SELECT COUNT(*) FROM message WHERE state = 'enqueued'")[0][0]
            critical = engine.accept(environment, "critical", "http://127.0.0.1/critical.mp4")
            engine.await_(lambda: query("SELECT state FROM job WHERE id = ?", critical)[0][0] == "completed")
        return described(waits(query, critical), jobs, queued)


def waits(query: Query, job_id: str) -> dict[str, float]:
    """Seconds from the end of what came before each stage to its start."""
    before: datetime = query("SELECT created_at FROM job WHERE id = ?", job_id)[0][0]
    found = {}
    stages = "SELECT name, started_at, finished_at FROM job_stage WHERE job_id = ? ORDER BY position"
    for name, started_at, finished_at in query(stages, job_id):
        found[name] = (started_at - before).total_seconds()
        before = finished_at
    return found


def described(found: dict[str, float], jobs: int, queued: int) -> list[str]:
    """The longest wait, which the target is about, then all."""
    most_s = STAGE_S + SLACK_S
    target = f"target ≤ {most_s:.1f} s (one running message and {SLACK_S:.0f} s)"
    longest = max(found.values())
    verdict = "met." if longest <= most_s else "missed."
    before = f"{jobs} low jobs, {queued} messages in RabbitMQ"
    return [
        f"Longest wait of a critical job for any stage: **{longest:.2f} s**; {target}: {verdict}",
        "",
        *table(("stage", "waited, s"), [(name, f"{wait:.2f}") for name, wait in found.items()]),
        "",
        f"Before it: {before}. A stage takes {STAGE_S} s; the queues of a pool share one thread.",
    ]
