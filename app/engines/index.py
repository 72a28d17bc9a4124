"""What finds passages: the contract of an index, and what counts as a word in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app import config
from app.errors import IndexUnreachable

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts without spaces between words; a pair of neighbouring characters stands for a word there."""

_STOP_WORDS = (
    "a about all also am an and any are as at be because been but by can could did do does doing for from "
    "had has have having he her here him his how i if in into is it it's its just me my no nor not of on "
    "or our out over she should so some such than that that's the their them then there these they this "
    "those through to too under up us very was we were what what's when where which while who whom whose "
    "why will with would you your"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())

_CJK_CHARACTER = re.compile(f"[{CJK}]")
_WORD = re.compile(
    rf"[{CJK}]+|[^\W_{CJK}](?:[^\s\x00-&(-/:-@\[-`{{-\x9f\ud800-\udfff“”«»…—–{CJK}]*[^\W_{CJK}])?"
)


@dataclass(frozen=True)
class IndexedSegment:
    """A segment's id and its text as passage_text() makes it."""

    segment_id: str
    text: str


@dataclass(frozen=True)
class Candidate:
    """A segment that may answer; scores compare only within one list, higher is better."""

    segment_id: str
    score: float


@dataclass(frozen=True)
class IndexStats:
    """What an index holds; the size is None where it is not told, model and dimension before ensure()."""

    videos: int
    segments: int
    size_bytes: int | None
    model: str | None
    dimension: int | None


class SearchIndex(Protocol):
    """Finds segments by meaning and by words; derived from the database, so it can be built again."""

    def ensure(self, dimension: int, model: str) -> None:
        """Make the index one of this model's vectors; SearchUnavailable if it holds another model's."""

    def upsert_video(
        self, video_id: str, revision: str, segments: Sequence[IndexedSegment], vectors: NDArray[np.float32]
    ) -> None:
        """Replace all of the video's segments at once; vectors: unit length, shape (segments, dimension)."""

    def delete_video(self, video_id: str) -> None:
        """Forget the video, if it is there."""

    def clear(self) -> None:
        """Forget all videos and the model, so that another model can move in."""

    def candidates(
        self, text: str, vector: NDArray[np.float32] | None, video_ids: frozenset[str] | None, k: int
    ) -> tuple[list[Candidate], list[Candidate]]:
        """The k best by vector and the k best by words, best first, of these videos only (None: of all).

        The first list is empty without a vector, the second without a text.
        """

    def stats(self) -> IndexStats:
        """What it holds."""


def search_index() -> SearchIndex:
    """This process's index, for all of its threads."""
    settings = config.current()
    return _opened(settings.data_dir / "index.db", settings.index_url, settings.index_api_key)


@cache
def _opened(path: Path, url: str, api_key: str) -> SearchIndex:
    # An engine loads only where it is used.
    if not url:
        from app.engines.index_sqlite import SqliteIndex

        return SqliteIndex(path)
    try:
        from app.engines.index_qdrant import connect
    except ModuleNotFoundError as missing:
        raise IndexUnreachable(
            f"Without {missing.name} YTRAG_INDEX_URL leads nowhere: run pip install 'youtube-rag[machines]'."
        ) from None
    return connect(url, api_key)


def passage_text(title: str, previous_sentence: str, passage: str) -> str:
    """A passage as it is embedded and indexed: the title and the sentence before tell what it is about."""
    return "\n".join(part for part in (title, previous_sentence, passage) if part)


def words(text: str) -> list[str]:
    """The text's distinct words in their order, in lower case."""
    return list(dict.fromkeys(word for word, _, _ in word_spans(text)))


def word_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The text's words in lower case, with where each begins and ends."""
    for match in _WORD.finditer(text):
        start, end = match.span()
        if end - start > 1 and _CJK_CHARACTER.match(text, start):
            yield from ((text[at : at + 2], at, at + 2) for at in range(start, end - 1))
        else:
            yield match.group().lower().replace("’", "'"), start, end


def keywords(text: str) -> list[str]:
    """Its words but for the stop words; all of them where there are no others."""
    every = words(text)
    return [word for word in every if word not in STOP_WORDS] or every
