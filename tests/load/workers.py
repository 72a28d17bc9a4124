"""Two workers against one, each with one thread, and what a worker's death in mid-video costs."""

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.load.recording import Recording, join_whole
from tests.load.sides import await_end
from tests.load.tables import spread, table
from tests.load.transcription import recognise
from tests.load.trees import recognisers
from tests.rows import rows
from tests.services import fresh_broker, fresh_database
from tests.up import Production, Up

TARGET = 1.8
ONE_THREAD = {"WHISPER_THREADS": "1"}


def measure(folder: Path, *, runs: int, seconds: int) -> list[str]:
    """Run the sides in turns, then kill a worker; the figures as Markdown."""
    talk, warm_up = join_whole(folder / "talk.wav", seconds), join_whole(folder / "warm.wav", 150)
    with ExitStack() as stack:
        url, broker = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
        two = Production(folder / "two", database_url=url, broker_url=broker, WORKERS_ASR="2x1", **ONE_THREAD)
        sides = {
            "one worker": Up(folder / "one", WORKERS_ASR="1x1", **ONE_THREAD),
            "two workers that share a process and the model": Up(
                folder / "shared", WORKERS_ASR="1x2", **ONE_THREAD
            ),
            "two workers, each a process": two,
        }
        found: dict[str, list[float]] = {name: [] for name in sides}
        for side in sides.values():
            recognise(stack.enter_context(side), warm_up)
        for _ in range(runs):
            for name, side in sides.items():
                found[name].append(recognise(side, talk)[0])
                print(f"{name}: {found[name][-1]:.1f} s", flush=True)
        return [*described(found, talk), "", killed(two, talk)]


def described(found: dict[str, list[float]], talk: Recording) -> list[str]:
    """How much faster two are, and all figures."""
    alone = found["one worker"]
    faster = {
        name: [one / other for one, other in zip(alone, took, strict=True)] for name, took in found.items()
    }
    body = [(name, spread(took), spread(faster[name], 2)) for name, took in found.items()]
    best = max(list(faster.values())[1:], key=median)
    verdict = (
        f"Two workers over one, a thread each, {talk.ends_s[-1]:.0f} s of sound: **{spread(best, 2)}** times "
        f"as fast; target ≥ {TARGET}: {'met' if median(best) >= TARGET else 'missed'}."
    )
    return [verdict, "", *table(("recognisers of one thread", "seconds", "times as fast"), body)]


def killed(up: Production, talk: Recording) -> str:
    """Kill a recogniser's process in mid-video, and count what was recognised twice."""
    with rows(up.database_url) as query:
        job_id = up.client.upload(talk.path, force=True).job_id
        running = "SELECT worker FROM chunk WHERE job_id = ? AND state = 'running' AND position >= 2"
        while not (found := query(running, job_id)):
            time.sleep(0.1)
        victim = int(found[0][0].rpartition(":")[2])
        assert victim in recognisers(up.others["worker"].process.pid)
        os.kill(victim, signal.SIGKILL)
        await_end(up, job_id)
        again = (
            "SELECT COALESCE(SUM(end_s - start_s), 0), COUNT(*) FROM chunk WHERE job_id = ? AND attempt > 1"
        )
        ((twice_s, count),) = query(again, job_id)
        ((chunks, longest_s),) = query(
            "SELECT COUNT(*), MAX(end_s - start_s) FROM chunk WHERE job_id = ?", job_id
        )
    return (
        f"One of the two processes killed in mid-video: **{twice_s:.1f} s** of {talk.ends_s[-1]:.0f} s "
        f"recognised twice ({count} of {chunks} chunks, longest {longest_s:.1f} s); target ≤ one chunk: "
        f"{'met' if twice_s <= longest_s else 'missed'}."
    )
