"""How soon `ytrag serve` answers a POST while `ytrag up` does a job beside it, and while that rests."""

import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from app.stages import FAN_OUT
from tests.load.recording import join_clips
from tests.load.tables import table
from tests.up import Up
from tests.webserver import WebServer

TARGET_MS = 50
PAUSES_S = {"4 a second": 0.25, "one after the other": 0.0}
JOBS = 3
"""So many jobs keep the models at work for as long as the requests last."""


def measure(folder: Path, *, requests: int, seconds: int) -> list[str]:
    """Send requests at each pace, first at rest, then beside jobs, and return the figures as Markdown."""
    long, data = join_clips(folder / "long.m4a", seconds), folder / "data"
    with WebServer(folder) as web, Up(data) as up, Up(data, command="serve") as serve:
        took = {("at rest", pace): post(serve, f"rest/{pace}", requests, s) for pace, s in PAUSES_S.items()}
        jobs = [up.client.submit(f"{web.url}/{long.name}?{number}").job_id for number in range(JOBS)]
        await_recognition(up, jobs[0])
        took |= {
            ("beside a job", pace): post(serve, f"job/{pace}", requests, s) for pace, s in PAUSES_S.items()
        }
        if up.client.status(jobs[-1]).status in ("completed", "failed"):
            raise RuntimeError("The jobs ended before the requests: the figures are not of what they say.")
    return described(took)


def post(serve: Up, name: str, requests: int, pause_s: float) -> list[float]:
    """Milliseconds that each of so many requests for different videos took; none of their jobs starts."""
    run_at = datetime.now(UTC) + timedelta(days=365)
    took = []
    for number in range(requests):
        time.sleep(pause_s)
        began = time.perf_counter()
        serve.client.submit(
            f"http://127.0.0.1/{name}/{number}.mp4".replace(" ", "-"), run_at=run_at.isoformat()
        )
        took.append(1000 * (time.perf_counter() - began))
    return took


def await_recognition(up: Up, job_id: str) -> None:
    """Return when the job has recognised something, so that its models are loaded and at work."""
    while not (job := up.client.status(job_id)).finished_at:
        if any(stage.progress for stage in job.stages if stage.name == FAN_OUT):
            return
        time.sleep(0.1)
    raise RuntimeError(f"The job {job.status} before any request: {job.error}")


def described(took: dict[tuple[str, str], list[float]]) -> list[str]:
    """The median that the target is about, then all figures."""
    slowest = max(median(ms) for (state, _), ms in took.items() if state == "beside a job")
    target = f"target < {TARGET_MS} ms: {'met' if slowest < TARGET_MS else 'missed'}"
    rows = [
        (
            f"{state}, {pace}",
            len(ms),
            *(f"{figure:.1f}" for figure in (median(ms), sorted(ms)[math.ceil(0.95 * len(ms)) - 1], max(ms))),
        )
        for (state, pace), ms in took.items()
    ]
    return [
        f"POST beside a job, the slower pace: median **{slowest:.1f} ms**; {target}.",
        "",
        *table(("POST", "requests", "median, ms", "p95, ms", "longest, ms"), rows),
    ]
