"""How true the estimate is that a job gives at a quarter of its way, and how often its progress moves."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.stages import FAN_OUT
from tests.load.recording import join_clips
from tests.load.tables import table
from tests.up import Up

LEARNED_S = (60, 300, 120, 30, 200, 90, 420, 45, 150, 240)
JUDGED_S = (100, 480, 180, 360, 130, 270, 600)
AT, MOST_ERROR, MOST_STILL_S = 25.0, 20.0, 10.0
LOOK_S = 0.25


@dataclass(frozen=True)
class Told:
    """Seconds left at AT per cent, by the estimate and in truth; the longest time without a move."""

    said_s: float
    left_s: float
    still_s: float

    @property
    def error(self) -> float:
        """Of the estimate, in per cent of the time that was left."""
        return 100 * abs(self.said_s - self.left_s) / self.left_s


def measure(folder: Path) -> list[str]:
    """Let the program learn from ten jobs of mixed lengths, then ask it about others; Markdown."""
    with Up(folder / "data") as up:
        for seconds in LEARNED_S:
            up.client.wait(up.client.upload(join_clips(folder / f"{seconds}.m4a", seconds)).job_id)
        found = {}
        for seconds in JUDGED_S:
            found[seconds] = watched(up, join_clips(folder / f"{seconds}.m4a", seconds))
            print(f"{seconds} s of sound: {found[seconds]}", flush=True)
    return described(found)


def watched(up: Up, sound: Path) -> Told:
    """Ingest the sound and note what is told of it."""
    job_id, seen = up.client.upload(sound).job_id, None
    progress, moved_at, still_s = 0.0, time.monotonic(), 0.0
    while not (status := up.client.status(job_id)).finished_at:
        now = time.monotonic()
        if status.current_stage == FAN_OUT:
            still_s = max(still_s, now - moved_at)
        if status.progress > progress or status.current_stage != FAN_OUT:
            progress, moved_at = status.progress, now
        if seen is None and status.progress >= AT and status.estimated_completion:
            seen = status.estimated_completion, now
        time.sleep(LOOK_S)
    ended, at_end = time.monotonic(), status.finished_at
    if status.status != "completed" or seen is None:
        raise RuntimeError(f"The job {status.status}, and gave {seen} as its end: {status.error}")
    left_s = ended - seen[1]
    return Told(left_s + (seen[0] - at_end).total_seconds(), left_s, still_s)


def described(found: dict[int, Told]) -> list[str]:
    """The median error and the longest rest, then a row a job."""
    error, still_s = median(told.error for told in found.values()), max(t.still_s for t in found.values())
    body = [
        (seconds, f"{told.said_s:.1f}", f"{told.left_s:.1f}", f"{told.error:.0f}", f"{told.still_s:.1f}")
        for seconds, told in found.items()
    ]
    heads = (
        *("video, s", "said to be left, s", "was left, s", "error, %"),
        "longest time without a move of the progress, s",
    )
    verdict = (
        f"Estimate at {AT:g} % after {len(LEARNED_S)} jobs of mixed lengths: median error **{error:.0f} %**; "
        f"target ≤ {MOST_ERROR:g} %: {'met' if error <= MOST_ERROR else 'missed'}. Progress moved at least "
        f"every **{still_s:.1f} s** of recognition; target ≤ {MOST_STILL_S:g} s: "
        f"{'met' if still_s <= MOST_STILL_S else 'missed'}."
    )
    return [verdict, "", *table(heads, body)]
