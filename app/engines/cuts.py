"""Where a long sound is best cut: in its silences, so that no word is torn."""

import hashlib
import wave
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.engines.waves import RATE_HZ, opened

FRAME_S = 0.01
BLOCK_S = 60
EARLIEST = 0.6
"""A chunk is at least this share of what it may be, unless it is the last."""

SHARE, SHORTEST = 1 / 4, 1 / 3
"""A chunk is at most this share of what is left, so that all end together, or a third of the longest."""
MORE = 1.2
"""The last one may be so much longer than that, rather than leave a crumb."""

LEAST_SILENCE_S = 0.2
BELOW_SPEECH_DB, SILENT_DB = 28.0, -70.0
"""Quiet is what lies so far below the loud parts around it, or what nobody can hear at all."""

OVERLAP_S = 2.0
"""How far both chunks reach over a cut where nobody was silent."""


@dataclass(frozen=True)
class CutPlan:
    """Slices of a sound (start and end, seconds) that cover all of it, and the sound's SHA-256.

    Slices overlap where there was no silence to cut in.
    """

    audio_hash: str
    slices: tuple[tuple[float, float], ...]


def plan(audio: Path, *, longest_s: float) -> CutPlan:
    """Cut a 16 kHz mono 16-bit WAV, read block by block, into slices of at most longest_s and an overlap.

    The last ones are shorter: who has none left to recognise would else wait for the others' last long ones.
    """
    with opened(audio) as file:
        digest, levels_db = _levels(file)
        end_s = file.getnframes() / RATE_HZ
    cuts: list[tuple[float, float]] = [(0.0, 0.0)]
    while (left_s := end_s - cuts[-1][0]) > MORE * (most_s := _most_s(left_s, longest_s)):
        cuts.append(_best_cut(levels_db, cuts[-1][0], most_s))
    cuts.append((end_s, 0.0))
    slices = (
        (max(0.0, start - lap), min(end_s, end + next_lap))
        for (start, lap), (end, next_lap) in pairwise(cuts)
    )
    return CutPlan(digest, tuple((round(float(start), 3), round(float(end), 3)) for start, end in slices))


def _most_s(left_s: float, longest_s: float) -> float:
    return min(max(SHARE * left_s, SHORTEST * longest_s), longest_s)


def _levels(file: wave.Wave_read) -> tuple[str, NDArray[np.float32]]:
    """The sound's hash, and how loud each FRAME_S is, dB of full scale."""
    digest, size = hashlib.sha256(), round(FRAME_S * RATE_HZ)
    levels: list[NDArray[np.float32]] = []
    while frames := file.readframes(BLOCK_S * RATE_HZ):
        digest.update(frames)
        samples = np.frombuffer(frames, "<i2").astype(np.float32) / 32768
        whole = samples[: len(samples) // size * size].reshape(-1, size)
        levels.append(10 * np.log10(np.square(whole).mean(axis=1) + 1e-10))
    return digest.hexdigest(), np.concatenate([np.zeros(0, np.float32), *levels]).astype(np.float32)


def _best_cut(levels_db: NDArray[np.float32], start_s: float, longest_s: float) -> tuple[float, float]:
    """A cut after start_s and the overlap that it needs: in a long silence, else at the quietest moment."""
    first, last = (round((start_s + share * longest_s) / FRAME_S) for share in (EARLIEST, 1.0))
    around = levels_db[round(start_s / FRAME_S) : last]
    quiet = levels_db[first:last] < max(float(np.percentile(around, 95)) - BELOW_SPEECH_DB, SILENT_DB)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    best, place = 0.0, None
    for begin, end in edges.reshape(-1, 2):
        length_s, middle = (end - begin) * FRAME_S, (begin + end) / 2
        # A second of silence is as good as any longer one; later is better: fewer chunks.
        score = min(length_s, 1.0) + 0.2 * middle / len(quiet)
        if length_s >= LEAST_SILENCE_S and score > best:
            best, place = score, middle
    if place is not None:
        return (first + place) * FRAME_S, 0.0
    smooth = np.convolve(levels_db[first:last], np.ones(15) / 15, "same")
    return (first + int(smooth.argmin())) * FRAME_S, OVERLAP_S
