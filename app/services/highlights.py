"""Finds a query's words in a text, in whatever inflection."""

import re
from collections.abc import Sequence
from functools import lru_cache

from app.engines.index import word_spans, words

LEAST = 3
"""Letters of a stem that another may begin with."""


def spans(text: str, query_words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand, in order; what touches or overlaps is one span."""
    wanted = _Stems(query_words)
    found: list[tuple[int, int]] = []
    for word, start, end in word_spans(text):
        if word not in wanted:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def share(text: str, query_words: Sequence[str]) -> float:
    """The fraction of the words that the text holds."""
    held = _Stems(words(text))
    return sum(word in held for word in query_words) / len(query_words) if query_words else 0.0


class _Stems:
    """Words that are looked up in whatever inflection.

    Two stems are alike if they are equal, or one of three letters or more begins the other by one letter
    less (run, runn-ing).
    """

    def __init__(self, known: Sequence[str]) -> None:
        self._stems = {_stem(word) for word in known}
        self._shorter = {stem[:-1] for stem in self._stems if len(stem) > LEAST}

    def __contains__(self, word: str) -> bool:
        stem = _stem(word)
        longer = len(stem) > LEAST and stem[:-1] in self._stems
        return longer or stem in self._stems or stem in self._shorter


@lru_cache(maxsize=10_000)
def _stem(word: str) -> str:
    """The word without the commonest English endings: enough to tell sentences of one passage apart."""
    return re.sub(r"(?<=...)(ies|ied|ing|'s|ed|es|s|y|e)$", "", word)
