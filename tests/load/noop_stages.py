"""Workers of ours whose six stages do nothing: python -m tests.load.noop_stages POOL.

BENCH_STAGE_S in the environment is how long each takes to do so, seconds.
"""

import os
import sys
import time
from collections.abc import Callable

from actors import pools, worker
from actors.stage import stage
from app.services import transcripts
from app.stages import FAN_OUT, NAMES


def declare_actors() -> None:
    """Make the six stages known to the broker."""
    for name in NAMES:
        stage(time_limit_ms=60_000)(nothing(name))


def nothing(name: str) -> Callable[[str], None]:
    """A stage's function: the fan-out finds no sound to cut, the others store nothing."""

    def work(job_id: str) -> None:
        time.sleep(float(os.environ.get("BENCH_STAGE_S", "0")))
        if name == FAN_OUT:
            transcripts.plan_chunks(job_id, [])

    work.__name__ = name
    return work


if __name__ == "__main__":
    pools.declare_actors = declare_actors
    worker.serve(sys.argv[1])
