"""A short video that comes while the first chunk of a very long one is recognised."""

import time
from pathlib import Path
from statistics import median

from tests.load.recording import join_clips, repeat
from tests.load.sides import Ours
from tests.load.tables import spread, table
from tests.rows import rows
from tests.up import Up
from tests.webserver import WebServer

TARGET = 3.0
SHORT_S, LONG_S, PART_S = 120, 3 * 3600, 600
FIRST_RUNS = "SELECT id FROM chunk WHERE job_id = ? AND position = 0 AND state = 'running'"
Parts = dict[str, float]


def measure(folder: Path, *, runs: int) -> list[str]:
    """Ingest the short one on an idle system and beside the long one, in turns; the figures as Markdown."""
    short = join_clips(folder / "short.m4a", SHORT_S)
    long = repeat(folder / "long.m4a", join_clips(folder / "part.m4a", PART_S), LONG_S // PART_S)
    idle, beside = list[Parts](), list[Parts]()
    with WebServer(folder) as web, Up(folder / "data") as up, rows(up.database_url) as query:
        ours = Ours(up)
        ours.run(f"{web.url}/{short.name}")
        for number in range(runs):
            idle.append(ours.run(f"{web.url}/{short.name}"))
            job_id = up.client.submit(f"{web.url}/{long.name}?{number}").job_id
            while not query(FIRST_RUNS, job_id):
                time.sleep(0.05)
            beside.append(ours.run(f"{web.url}/{short.name}"))
            print(f"idle {idle[-1]['all']:.1f} s, beside {beside[-1]['all']:.1f} s", flush=True)
            up.client.cancel(job_id)
            while query("SELECT id FROM chunk WHERE lease_until IS NOT NULL"):
                time.sleep(0.1)
            time.sleep(2)
    return described(idle, beside)


def described(idle: list[Parts], beside: list[Parts]) -> list[str]:
    """The ratio that the target is about, then all parts."""
    ratios = [one["all"] / other["all"] for one, other in zip(beside, idle, strict=True)]
    verdict = (
        f"A video of {SHORT_S} s beside the first chunk of one of {LONG_S} s, over the same alone: "
        f"**{spread(ratios, 2)}**; target ≤ {TARGET:g}: {'met' if median(ratios) <= TARGET else 'missed'}."
    )
    body = [
        (part, spread([run[part] for run in idle]), spread([run[part] for run in beside])) for part in idle[0]
    ]
    return [
        verdict,
        "",
        *table(("stage", "idle, s", "beside the long one, s"), body),
    ]
