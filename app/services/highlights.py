"""Finds a query's words in a text, in whatever inflection."""

import re
from collections.abc import Sequence

from app.engines.index import word_spans, words


def spans(text: str, query_words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand, in order; what touches or overlaps is one span."""
    stems = [_stem(word) for word in query_words]
    found: list[tuple[int, int]] = []
    for word, start, end in word_spans(text):
        if not any(_alike(_stem(word), stem) for stem in stems):
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def share(text: str, query_words: Sequence[str]) -> float:
    """The fraction of the words that the text holds."""
    stems = tuple(_stem(word) for word in words(text))
    held = [word for word in query_words if any(_alike(_stem(word), stem) for stem in stems)]
    return len(held) / len(query_words) if query_words else 0.0


def _stem(word: str) -> str:
    """The word without the commonest English endings: enough to tell sentences of one passage apart."""
    return re.sub(r"(?<=...)(ies|ied|ing|'s|ed|es|s|y|e)$", "", word)


def _alike(stem: str, other: str) -> bool:
    """Equal, or one of three letters or more begins the other by at most one letter less (run, runn-ing)."""
    short, long = sorted((stem, other), key=len)
    return stem == other or (len(short) >= 3 and len(long) == len(short) + 1 and long.startswith(short))
