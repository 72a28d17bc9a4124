"""Where sound is cut, and how what was heard on both sides of a cut is put together."""

import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.engines import cuts
from app.engines.seams import joined
from app.engines.waves import RATE_HZ
from app.values import Word


def wav(path: Path, *, loud_s: float, silences: Sequence[tuple[float, float]]) -> Path:
    """Noise with digital silence from and to these seconds."""
    samples: NDArray[np.float64] = 0.3 * np.random.default_rng(1).standard_normal(round(loud_s * RATE_HZ))
    for start_s, end_s in silences:
        samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)] = 0
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, len(samples), "NONE", ""))
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def words(text: str, start_s: float) -> list[Word]:
    """One a second."""
    return [
        Word(word, start_s + place, start_s + place + 0.6, 0.9) for place, word in enumerate(text.split())
    ]


def test_short_sound_is_one_slice(tmp_path: Path) -> None:
    audio = wav(tmp_path / "short.wav", loud_s=6, silences=[(3, 5)])

    assert cuts.plan(audio, longest_s=15).slices == ((0.0, 6.0),)


def test_cuts_lie_in_silences_and_the_slices_cover_all_without_overlap(tmp_path: Path) -> None:
    silences = [(second + 0.2, second + 0.6) for second in range(2, 38)]

    slices = cuts.plan(wav(tmp_path / "long.wav", loud_s=38, silences=silences), longest_s=10).slices

    assert slices[0][0] == 0
    assert slices[-1][1] == 38
    assert all(end == start for (_, end), (start, _) in pairwise(slices))
    assert all(end - start <= 10 for start, end in slices)
    assert all(any(a <= end <= b for a, b in silences) for _, end in slices[:-1])


def test_slices_grow_short_at_the_end_so_that_several_recognisers_end_together(tmp_path: Path) -> None:
    silences = [(second + 0.2, second + 0.6) for second in range(1, 60)]

    slices = cuts.plan(wav(tmp_path / "long.wav", loud_s=60, silences=silences), longest_s=10).slices

    lengths_s = [end - start for start, end in slices]
    assert all(length > 8 for length in lengths_s[:2])
    assert all(length <= 6 for length in lengths_s[-4:])


def test_slices_overlap_where_nobody_is_silent(tmp_path: Path) -> None:
    slices = cuts.plan(wav(tmp_path / "loud.wav", loud_s=60, silences=[]), longest_s=30).slices

    assert {round(end - start, 3) for (_, end), (start, _) in pairwise(slices)} == {2 * cuts.OVERLAP_S}
    assert slices[-1][1] == 60


def test_the_same_sound_is_cut_alike_and_other_sound_has_another_hash(tmp_path: Path) -> None:
    first = wav(tmp_path / "1.wav", loud_s=12, silences=[(7, 8)])
    other = wav(tmp_path / "2.wav", loud_s=12, silences=[(7, 8.01)])

    assert cuts.plan(first, longest_s=10) == cuts.plan(first, longest_s=10)
    assert cuts.plan(first, longest_s=10).audio_hash != cuts.plan(other, longest_s=10).audio_hash


def test_an_empty_file_is_one_empty_slice(tmp_path: Path) -> None:
    assert cuts.plan(wav(tmp_path / "none.wav", loud_s=0, silences=[]), longest_s=10).slices == ((0.0, 0.0),)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("we keep the time of day", "the time of day and night"),
        ("we keep the Time, of day", "the time of Day. and night"),
        ("we keep the time of", "the time of day and night"),
    ],
    ids=["alike", "other marks", "a word more"],
)
def test_what_two_slices_have_both_heard_comes_once(first: str, second: str) -> None:
    heard = joined([(0, 6.5, words(first, 0)), (2, 10, words(second, 2))])

    said = [word.text.lower().strip(",.") for word in heard]
    assert said == ["we", "keep", "the", "time", "of", "day", "and", "night"]


def test_where_two_slices_heard_nothing_alike_each_counts_for_its_half() -> None:
    heard = joined([(0, 6, words("a b c d e f", 0)), (2, 8, words("u v w x y z", 2))])

    assert [word.text for word in heard] == ["a", "b", "c", "d", "w", "x", "y", "z"]


@pytest.mark.parametrize(
    ("then", "end"), [("who spent his life", "Harrison"), ("Who spent his life", "Harrison.")]
)
def test_a_sentence_that_goes_on_behind_a_cut_does_not_end_there(then: str, end: str) -> None:
    heard = joined([(0, 3, words("named John Harrison.", 0)), (3, 7, words(then, 3))])

    assert [word.text for word in heard] == ["named", "John", end, *then.split()]


def test_slices_that_only_touch_keep_all_their_words() -> None:
    heard = joined([(0, 3, words("no no no", 0)), (3, 6, words("no no no", 3))])

    assert len(heard) == 6
