"""A job's whole way against its models' bare time on the same recording, in turns."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from app import config
from app.config import Config
from app.models import schema
from tests.load.recording import join_clips
from tests.load.sides import Bare, Ours
from tests.load.tables import spread, table
from tests.load.trees import busy_s, used_s
from tests.up import Up
from tests.webserver import WebServer

TARGET = 1.05
WARM_UP_S = 60
REST_S, REST_SHARE = 1.0, 0.1
"""A side rests when in so long it has taken less than this share of one processor."""


@dataclass(frozen=True)
class Run:
    """Seconds of one side ("all" and by part), its processor seconds, and processors that others took."""

    parts: dict[str, float]
    used_s: float
    at_rest: float
    strangers: float


def measure(folder: Path, *, runs: int, seconds: int) -> list[str]:
    """Run both sides in turns and return the figures as Markdown."""
    long, short = join_clips(folder / "long.m4a", seconds), join_clips(folder / "short.m4a", WARM_UP_S)
    with WebServer(folder) as web, Up(folder / "data") as up, Bare(up) as bare:
        schema.open_database(config.use(Config.from_env(up.environment)))
        ours = Ours(up)
        ours.run(f"{web.url}/{short.name}")
        bare.run(short, ours.texts())
        pairs = []
        for number in range(1, runs + 1):
            mine = watched(lambda: ours.run(f"{web.url}/{long.name}"), ours.pid, bare.pid)
            texts = ours.texts()
            theirs = watched(partial(bare.run, long, texts), bare.pid, ours.pid)
            pairs.append((mine, theirs))
            print(f"pair {number}: {mine.parts['all']:.1f} s / {theirs.parts['all']:.1f} s", flush=True)
        return [*verdict(pairs, seconds), "", *turns(pairs), "", *split(pairs, bare.threads, len(texts))]


def watched(work: Callable[[], dict[str, float]], working: int, resting: int) -> Run:
    """Let one side work while the other rests, and see who else takes processor time."""
    await_rest(working, resting)
    used_by = [partial(used_s, pid) for pid in (os.getpid(), working, resting)]
    clocks: list[Callable[[], float]] = [time.perf_counter, busy_s, *used_by]
    before = [clock() for clock in clocks]
    parts = work()
    took_s, busy, known, used, rested = (clock() - start for clock, start in zip(clocks, before, strict=True))
    return Run(parts, used, rested / took_s, max(0.0, busy - known) / took_s)


def await_rest(*pids: int) -> None:
    """Return when these processes have nothing left to do."""
    before = float("-inf")
    while (now := used_s(*pids)) - before > REST_SHARE * REST_S:
        before = now
        time.sleep(REST_S)


def verdict(pairs: list[tuple[Run, Run]], seconds: int) -> list[str]:
    """The figure that the target is about."""
    ratios = [mine.parts["all"] / theirs.parts["all"] for mine, theirs in pairs]
    target = f"target ≤ {TARGET}: {'met' if median(ratios) <= TARGET else 'missed'}"
    return [f"Whole job over bare models, {seconds} s of sound: **{spread(ratios, 3)}**; {target}."]


def turns(pairs: list[tuple[Run, Run]]) -> list[str]:
    """A row a pair, in which is to be seen as well whether the machine was quiet."""
    heads = (
        "pair: job / models",
        "seconds",
        "ratio",
        "processor seconds",
        "processors of strangers",
        "at rest",
    )
    rows = []
    for number, (mine, theirs) in enumerate(pairs, start=1):
        whole_s, bare_s = mine.parts["all"], theirs.parts["all"]
        rows.append(
            (
                number,
                f"{whole_s:.1f} / {bare_s:.1f}",
                f"{whole_s / bare_s:.3f}",
                f"{mine.used_s:.1f} / {theirs.used_s:.1f}",
                f"{mine.strangers:.2f} / {theirs.strangers:.2f}",
                f"{theirs.at_rest:.2f} / {mine.at_rest:.2f}",
            )
        )
    return table(heads, rows)


def split(pairs: list[tuple[Run, Run]], threads: dict[str, int], texts: int) -> list[str]:
    """Where both sides' time goes."""
    sides = {
        "whole job": [mine.parts for mine, _ in pairs],
        "bare models": [theirs.parts for _, theirs in pairs],
    }
    rows = [
        (f"{side}: {part}", spread([run[part] for run in runs], 2))
        for side, runs in sides.items()
        for part in runs[0]
    ]
    about = ", ".join(f"{name} {count}" for name, count in threads.items())
    return [*table(("part", "seconds"), rows), "", f"Threads: {about}. Texts embedded: {texts}."]
