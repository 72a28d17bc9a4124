"""What is cut and what is doubted of that which Whisper wrote."""

from dataclasses import dataclass
from typing import Any

import pytest

from app.engines.doubts import said_once, without_echo, words_of
from app.values import Word


@dataclass
class Piece:
    word: str
    start: float
    end: float
    probability: float = 0.9


@dataclass
class Heard:
    words: Any
    no_speech_prob: float = 0.0
    avg_logprob: float = -0.2
    compression_ratio: float = 1.5


def pieces(text: str, word_s: float = 0.4) -> list[Piece]:
    """So long each, one behind the other, as Whisper writes them: with the space before."""
    return [Piece(f" {w}", n * word_s, (n + 1) * word_s) for n, w in enumerate(text.split())]


def plain(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


TALK = "the clock was a stick standing in the sand"


@pytest.mark.parametrize(
    ("heard", "doubts"),
    [
        (Heard(pieces(TALK)), {""}),
        (Heard(pieces(TALK), no_speech_prob=0.7), {"no_speech"}),
        (Heard(pieces(TALK), avg_logprob=-1.2), {"unsure"}),
        (Heard(pieces(TALK, word_s=0.05)), {"hurried"}),
        (Heard(pieces("so " * 40), compression_ratio=9), {"loop"}),
        (Heard(pieces(TALK), no_speech_prob=0.7, avg_logprob=-1.2), set()),
        (Heard(None), set()),
    ],
    ids=["sure", "no speech", "unsure", "hurried", "loop", "nobody spoke", "no words"],
)
def test_words_bear_the_reason_for_doubting_them(heard: Heard, doubts: set[str]) -> None:
    assert {word.doubt for word in words_of(heard)} == doubts


def test_a_word_in_pieces_is_one_with_the_least_probability_and_both_times() -> None:
    heard = Heard([Piece(" forty", 0, 0.4, 0.9), Piece("-two", 0.4, 0.8, 0.5), Piece(" ", 0.8, 0.8)])

    assert words_of(heard) == [Word("forty-two", 0, 0.8, 0.5)]


def test_characters_that_are_written_together_stay_words_of_their_own() -> None:
    heard = Heard([Piece("今", 0, 0.2), Piece("日", 0.2, 0.4)])

    assert [word.text for word in words_of(heard)] == ["今", "日"]


def test_a_run_that_repeats_the_one_before_it_comes_once() -> None:
    said = "so it goes it goes it goes on"
    loop = [Word(text, n, n + 1, 0.9) for n, text in enumerate(said.split())]

    assert plain(said_once(loop)) == "so it goes on"


@pytest.mark.parametrize(
    ("line_s", "kept"),
    [((3, 0.3), 3), ((3, 3), 6), ((3, 0.3, 3), 3), ((3, 3, 3), 9)],
    ids=["in no time", "as it was said", "in no time, then slowly", "sung"],
)
@pytest.mark.parametrize("rest", ["", "merrily merrily"])
def test_what_is_repeated_in_no_time_is_an_echo(line_s: tuple[float, ...], kept: int, rest: str) -> None:
    words, now = [], 0.0
    for took_s in line_s:
        for text in ("row", "your", "boat"):
            words.append(Word(text, now, now + took_s / 3, 0.9))
            now += took_s / 3
    words += [Word(text, now, now + 1, 0.9) for text in rest.split()]

    assert len(without_echo(words)) == kept + len(rest.split())
