"""What makes recognised text doubtful: Whisper writes something even where nobody speaks."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from app.engines.segmenter import written_together
from app.values import Word

NO_SPEECH, UNSURE, LOOPING = 0.6, -1.0, 2.4
"""Whisper's own limits: chance of no speech, mean log probability, how well the text compresses."""

HURRIED_WORDS_S = 7.0
"""Nobody says more words a second for long."""


class Piece(Protocol):
    """A word as Whisper writes it: with the space before it, or without one where it goes on."""

    word: str
    start: float
    end: float
    probability: float


class Heard(Protocol):
    """What Whisper tells of one window."""

    words: list[Piece] | None
    no_speech_prob: float
    avg_logprob: float
    compression_ratio: float


def words_of(heard: Heard) -> list[Word]:
    """The window's words: none where it says that nobody spoke, each with its doubt where there is one."""
    if heard.no_speech_prob > NO_SPEECH and heard.avg_logprob < UNSURE:
        return []
    words = _whole_words(heard.words or ())
    said = said_once(words) if heard.compression_ratio > LOOPING else without_echo(words)
    doubt = _doubt(heard, words, said)
    return [Word(word.text, word.start_s, word.end_s, word.probability, doubt) for word in said]


def _doubt(heard: Heard, words: Sequence[Word], said: Sequence[Word]) -> str:
    if 2 * len(said) < len(words):
        return "loop"
    if heard.no_speech_prob > NO_SPEECH:
        return "no_speech"
    if heard.avg_logprob < UNSURE:
        return "unsure"
    if len(words) > 5 and len(words) > HURRIED_WORDS_S * (words[-1].end_s - words[0].start_s):
        return "hurried"
    return ""


def _whole_words(pieces: Iterable[Piece]) -> list[Word]:
    words: list[Word] = []
    for piece in pieces:
        word = Word(piece.word.strip(), float(piece.start), float(piece.end), float(piece.probability))
        if words and not piece.word.startswith(" ") and not written_together(words[-1].text, word.text):
            word = _joined(words.pop(), word)  # Whisper cuts "forty-two" and "3.5" before the hyphen and dot
        if word.text:
            words.append(word)
    return words


def _joined(first: Word, second: Word) -> Word:
    probability = min(first.probability, second.probability)
    return Word(first.text + second.text, first.start_s, max(first.end_s, second.end_s), probability)


def said_once(words: Iterable[Word]) -> list[Word]:
    """Drop each run of words that only repeats the run before it."""
    kept: list[Word] = []
    texts: list[str] = []
    for word in words:
        kept.append(word)
        texts.append(word.text)
        for size in range(1, len(kept) // 2 + 1):
            if texts[-size:] == texts[-2 * size : -size]:
                del kept[-size:], texts[-size:]
                break
    return kept


def without_echo(words: list[Word]) -> list[Word]:
    """Drop what repeats the three words or more before it, if one repetition took no time: a stuck model."""
    texts = [word.text for word in words]
    for size in range(3, len(words) // 2 + 1):
        for at in range(len(words) - 2 * size + 1):
            ends = [at + size]
            while texts[ends[-1] : ends[-1] + size] == texts[at : at + size]:
                ends.append(ends[-1] + size)
            first_s, *again_s = (words[end - 1].end_s - words[end - size].start_s for end in ends)
            if again_s and min(again_s) < first_s / 2:
                return without_echo(words[: at + size] + words[ends[-1] :])
    return words
