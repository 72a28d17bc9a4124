"""Puts the words of neighbouring slices together, each word once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.values import Word

SAME_S = 0.5
"""Two hearings of one word are not farther apart."""

Slice = tuple[float, float, Sequence[Word]]
"""Start and end, seconds, and the words that were heard between them."""


def joined(slices: Iterable[Slice]) -> list[Word]:
    """All words in their order; what two slices that overlap have both heard comes once."""
    kept: list[Word] = []
    reached_s = 0.0
    for start_s, end_s, words in slices:
        if start_s < reached_s:
            until, since = _seam(kept, words, start_s, reached_s)
            kept, words = kept[:until], words[since:]
        kept = [*_open_ended(kept, words), *words]
        reached_s = end_s
    return kept


def _open_ended(before: list[Word], after: Sequence[Word]) -> list[Word]:
    """Without the full stop that a recogniser puts where its sound ends, if the sentence goes on."""
    if before and after and before[-1].text.endswith(".") and after[0].text[:1].islower():
        return [*before[:-1], replace(before[-1], text=before[-1].text.rstrip("."))]
    return before


def _seam(before: Sequence[Word], after: Sequence[Word], start_s: float, end_s: float) -> tuple[int, int]:
    """How many words count of the one and from which on of the other: they part at a word both heard."""
    middle_s = (start_s + end_s) / 2
    tail = [number for number, word in enumerate(before) if word.end_s > start_s]
    head = [number for number, word in enumerate(after) if word.start_s < end_s]
    pairs = [
        (abs(before[one].start_s - middle_s), one, other)
        for one in tail
        for other in head
        if _plain(before[one]) == _plain(after[other])
        and abs(before[one].start_s - after[other].start_s) <= SAME_S
    ]
    if pairs:
        _, one, other = min(pairs)
        return one + 1, other + 1
    until = sum(_middle_s(word) < middle_s for word in before)
    return until, sum(_middle_s(word) < middle_s for word in after)


def _plain(word: Word) -> str:
    return "".join(letter for letter in word.text.lower() if letter.isalnum())


def _middle_s(word: Word) -> float:
    return (word.start_s + word.end_s) / 2
