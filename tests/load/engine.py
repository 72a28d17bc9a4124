"""Jobs of six stages that do nothing: through our engine, bare Dramatiq, and as a Celery chain, in turns.

All use the same RabbitMQ and MariaDB. Counted is from the first stage's first start to the last one's end.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app import clock, config
from app.config import Config
from app.models import schema
from app.models.base import database
from app.models.jobs import Job
from app.models.videos import Video
from app.services import intake
from app.values import PRIORITIES
from tests.load.tables import spread, table
from tests.load.trees import used_s
from tests.rows import rows
from tests.services import SCRIPT, fresh_broker, fresh_database
from tests.up import ROOT

TARGET = 0.2
THREADS = 8
GIVE_UP_S = 300
VIDEO = "01JZZZZZZZZZZZZZZZZZZZZZZZ"


@dataclass(frozen=True)
class Run:
    """Jobs a second, and the processor milliseconds that each cost the program and the two servers."""

    jobs_per_s: float
    program_ms: float
    servers_ms: float


def measure(folder: Path, *, jobs: int, runs: int) -> list[str]:
    """Run the sides in turns and return the figures as Markdown."""
    sides: dict[str, Callable[[Path, int], Run]] = {"ours": ours, "Dramatiq": dramatiq, "Celery": celery}
    found: dict[str, list[Run]] = {name: [] for name in sides}
    for number in range(runs):
        for name, side in sides.items():
            place = folder / f"{name}{number}"
            place.mkdir()
            found[name].append(side(place, jobs))
            print(f"{name}: {found[name][-1]}", flush=True)
    return described(found)


COMMANDS = [["actors.dispatcher"], *(["tests.load.noop_stages", pool] for pool in ("io", "media", "light"))]


def ours(folder: Path, jobs: int, **more: str) -> Run:
    """Through a dispatcher and a worker process for each pool, started when the jobs wait in the outbox."""
    with ExitStack() as stack:
        url, broker = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
        settings = environment(url, broker, folder, threads=THREADS, **more)
        fill(settings, jobs)
        query = stack.enter_context(rows(url))
        with running(COMMANDS, settings, folder) as meter:
            ended = "SELECT COUNT(*) FROM job WHERE state NOT IN ('pending', 'running', 'retrying')"
            await_(lambda: query(ended)[0][0] == jobs)
            cost = meter()
        first, last = query("SELECT MIN(started_at), MAX(finished_at) FROM job_stage")[0]
        assert query("SELECT COUNT(*) FROM job WHERE state = 'completed'")[0][0] == jobs
        return per_job(jobs, (last - first).total_seconds(), cost)


def environment(url: str, broker: str, folder: Path, *, threads: int, **more: str) -> dict[str, str]:
    """What our processes are started with: one of each pool."""
    pools = {f"YTRAG_WORKERS_{name}": f"1x{threads}" for name in ("IO", "MEDIA", "LIGHT")}
    where = {"YTRAG_DATABASE_URL": url, "YTRAG_BROKER_URL": broker, "YTRAG_DATA_DIR": str(folder)}
    (folder / "counts").mkdir()
    where["PROMETHEUS_MULTIPROC_DIR"] = str(folder / "counts")
    return {**_environment(), **where, **pools, **more}


def fill(settings: dict[str, str], jobs: int, priority: str = "default") -> None:
    """Accept so many jobs, of a video that is known already: no stage tells of it."""
    schema.open_database(config.use(Config.from_env(settings)))
    Video.create(
        id=VIDEO,
        extractor="bench",
        external_id="bench",
        title="Nothing",
        webpage_url="http://127.0.0.1/",
        created_at=clock.now(),
        force_insert=True,
    )
    for number in range(jobs):
        take_in(priority, f"http://127.0.0.1/{number}.mp4")
    Job.update(video=VIDEO).execute()
    database.close()


def accept(settings: dict[str, str], priority: str, url: str) -> str:
    """Accept one more, and return its id."""
    schema.open_database(config.use(Config.from_env(settings)))
    job_id = take_in(priority, url)
    Job.update(video=VIDEO).where(Job.id == job_id).execute()
    database.close()
    return job_id


def take_in(priority: str, url: str) -> str:
    """Accept a job in this process, whose database is open."""
    wanted = intake.Request("local", url, f"Process video: {url}", priority=PRIORITIES[priority])
    return intake.accept(wanted).job.id


def dramatiq(folder: Path, jobs: int) -> Run:
    """Through Dramatiq's own program as it starts by default: a process a core, 8 threads each."""
    with fresh_broker() as broker:
        settings = _bench(folder, BENCH_BROKER_URL=broker)
        python = f"from tests.load.bare_pipeline import submit; submit({jobs})"
        subprocess.run([sys.executable, "-c", python], env=settings, cwd=ROOT, check=True)
        command = ["dramatiq", "tests.load.bare_pipeline", "--processes", "2", "--threads", str(THREADS)]
        return timed([command], settings, folder, jobs)


def celery(folder: Path, jobs: int) -> Run:
    """Through Celery's worker as it starts by default: a process a core."""
    with fresh_broker() as broker, fresh_database() as url:
        settings = _bench(folder, BENCH_BROKER_URL=broker, BENCH_DATABASE_URL=url)
        python = f"from tests.load.celery_chain import submit; submit({jobs})"
        subprocess.run([sys.executable, "-c", python], env=settings, cwd=ROOT, check=True)
        command = ["celery", "--app", "tests.load.celery_chain", "worker", "--concurrency", "2"]
        return timed([command], settings, folder, jobs)


def timed(commands: list[list[str]], environment: dict[str, str], folder: Path, jobs: int) -> Run:
    """A side whose first and last stage note the time."""
    times = Path(environment["BENCH_TIMES"])
    with running(commands, environment, folder) as meter:
        await_(lambda: times.exists() and times.read_bytes().count(b"\n") >= 2 * jobs)
        cost = meter()
    noted = [float(line) for line in times.read_text().split()]
    return per_job(jobs, max(noted) - min(noted), cost)


def per_job(jobs: int, took_s: float, cost: tuple[float, float]) -> Run:
    """The figures of a run."""
    return Run(jobs / took_s, 1000 * cost[0] / jobs, 1000 * cost[1] / jobs)


@contextmanager
def running(
    commands: list[list[str]], environment: dict[str, str], folder: Path
) -> Iterator[Callable[[], tuple[float, float]]]:
    """These modules as processes; what it gives tells the processor seconds of both."""
    servers = [int(pid) for pid in re.findall(r"\(pid (\d+)", _status())]
    before = used_s(*servers)
    programs = []
    for number, command in enumerate(commands):
        with (folder / f"{number}.log").open("w") as log:
            arguments = [sys.executable, "-m", *command]
            programs.append(
                subprocess.Popen(
                    arguments, env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
                )
            )
    try:
        yield lambda: (used_s(*(program.pid for program in programs)), used_s(*servers) - before)
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(timeout=60)


def await_(done: Callable[[], bool]) -> None:
    """Return when it is done."""
    give_up = time.monotonic() + GIVE_UP_S
    while not done():
        if time.monotonic() > give_up:
            raise RuntimeError(f"Not done after {GIVE_UP_S} s.")
        time.sleep(0.2)


def described(found: dict[str, list[Run]]) -> list[str]:
    """The ratios that the targets are about, then all figures."""
    mine = [run.jobs_per_s for run in found["ours"]]
    of_bare = [a / b.jobs_per_s for a, b in zip(mine, found["Dramatiq"], strict=True)]
    of_celery = [a / b.jobs_per_s for a, b in zip(mine, found["Celery"], strict=True)]
    bare_met, celery_met = (
        "met" if met else "missed" for met in (median(of_bare) >= TARGET, median(of_celery) > 1)
    )
    heads = (
        "six stages that do nothing",
        "jobs a second",
        "program, CPU ms a job",
        "RabbitMQ and MariaDB, CPU ms a job",
    )
    body = [
        (
            name,
            *(
                spread([getattr(run, part) for run in taken])
                for part in ("jobs_per_s", "program_ms", "servers_ms")
            ),
        )
        for name, taken in found.items()
    ]
    ratios = (
        f"Jobs a second over bare Dramatiq: **{spread(of_bare, 3)}**; target ≥ {TARGET}: {bare_met}. "
        f"Jobs a second over a Celery chain: **{spread(of_celery, 2)}**; target > 1: {celery_met}."
    )
    return [ratios, "", *table(heads, body)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("YTRAG_")}


def _bench(folder: Path, **named: str) -> dict[str, str]:
    return {**_environment(), "BENCH_TIMES": str(folder / "times"), **named}


def _status() -> str:
    return subprocess.run([SCRIPT, "status"], capture_output=True, text=True, check=True).stdout
