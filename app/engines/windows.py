"""Which parts of a slice hold speech, how they go through the recogniser, and what it passed over."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.engines.waves import RATE_HZ
from app.values import Word

Span = tuple[float, float]
"""Start and end, seconds of the slice."""

LONGEST_S = 29.0
"""Whisper hears 30 s at once."""

MIN_SILENCE_MS = 100
MARGIN_S = 0.2
GOOD_PAUSE_S = 0.6
UNHEARD_S = 1.5
"""So much speech without a word was passed over: Whisper at times ends a window before its time."""


def speech(samples: NDArray[np.float32]) -> list[Span]:
    """Where somebody speaks, none longer than a window."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        min_silence_duration_ms=MIN_SILENCE_MS, speech_pad_ms=0, max_speech_duration_s=LONGEST_S
    )
    found = get_speech_timestamps(samples, options)
    return [(span["start"] / RATE_HZ, span["end"] / RATE_HZ) for span in found]


def around(spoken: Sequence[Span], end_s: float) -> list[Span]:
    """The fewest windows that hold all speech, cut where the pauses are longest."""
    costs, firsts = [0.0], [0]
    for last in range(len(spoken)):
        choices = []
        for first in range(last, -1, -1):
            if spoken[last][1] - spoken[first][0] > LONGEST_S and first < last:
                break
            pause_s = spoken[first][0] - spoken[first - 1][1] if first else GOOD_PAUSE_S
            choices.append((costs[first] + 1 + max(0.0, 0.5 - 0.5 * pause_s / GOOD_PAUSE_S), -first))
        cost, first = min(choices)
        costs.append(cost)
        firsts.append(-first)
    runs, end = [], len(spoken)
    while end:
        runs.append((firsts[end], end))
        end = firsts[end]
    return [_with_margins(spoken, first, end, end_s) for first, end in reversed(runs)]


def _with_margins(spoken: Sequence[Span], first: int, end: int, end_s: float) -> Span:
    """Half of the pauses before and after belong to a window, but no more than helps."""
    earliest = (spoken[first - 1][1] + spoken[first][0]) / 2 if first else 0.0
    latest = (spoken[end - 1][1] + spoken[end][0]) / 2 if end < len(spoken) else end_s
    return max(earliest, spoken[first][0] - MARGIN_S), min(latest, spoken[end - 1][1] + MARGIN_S)


def unheard(spoken: Sequence[Span], words: Sequence[Word], end_s: float) -> list[Span]:
    """Speech in which no word was heard, as windows to be heard once more."""
    gaps = [gap for span in spoken for gap in _without_words(span, words)]
    merged: list[Span] = []
    for start_s, stop_s in gaps:
        if merged and stop_s - merged[-1][0] < LONGEST_S and not _any_between(words, merged[-1][1], start_s):
            start_s = merged.pop()[0]
        merged.append((start_s, stop_s))
    return [(max(0.0, start_s - 0.1), min(end_s, stop_s + 0.1)) for start_s, stop_s in merged]


def _without_words(span: Span, words: Sequence[Word]) -> list[Span]:
    at, gaps = span[0], []
    for word in words:
        if word.end_s <= at:
            continue
        if word.start_s >= span[1]:
            break
        gaps.append((at, word.start_s))
        at = max(at, word.end_s)
    gaps.append((at, span[1]))
    return [gap for gap in gaps if gap[1] - gap[0] >= UNHEARD_S]


def _any_between(words: Sequence[Word], start_s: float, end_s: float) -> bool:
    return any(start_s <= word.start_s < end_s for word in words)
