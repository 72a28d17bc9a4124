"""Workers of ours whose six stages do nothing: python -m tests.load.noop_stages POOL.

BENCH_STAGE_S in the environment: how long each takes to do so, seconds. BENCH_BLIND: nothing is counted.
BENCH_VIDEO: the id of a video that the first stage finds.
"""

import os
import sys
import time
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from actors import pools, worker
from actors.stage import stage
from app.models.jobs import Job
from app.services import measures, transcripts
from app.stages import FAN_OUT, NAMES


def declare_actors() -> None:
    """Make the six stages known to the broker."""
    for name in NAMES:
        stage(time_limit_ms=60_000)(nothing(name))


def nothing(name: str) -> Callable[[str], None]:
    """A stage's function: the fan-out finds no sound to cut, the others store nothing."""

    def work(job_id: str) -> None:
        time.sleep(float(os.environ.get("BENCH_STAGE_S", "0")))
        if name == NAMES[0] and (video := os.environ.get("BENCH_VIDEO")):
            Job.update(video=video).where(Job.id == job_id).execute()
        if name == FAN_OUT:
            transcripts.plan_chunks(job_id, [])

    work.__name__ = name
    return work


def be_blind() -> None:
    """Have nothing counted, and no question asked of the database for what would be."""
    for name in ("job_started", "job_completes", "job_ends"):
        setattr(measures, name, lambda *_: None)
    for kind, changes in ((Counter, ("inc",)), (Gauge, ("inc", "dec", "set")), (Histogram, ("observe",))):
        for change in changes:
            setattr(kind, change, lambda *_: None)


if __name__ == "__main__":
    if os.environ.get("BENCH_BLIND"):
        be_blind()
    pools.declare_actors = declare_actors
    worker.serve(sys.argv[1], os.getppid())
