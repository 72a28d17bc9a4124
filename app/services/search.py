"""Finds the sentences that answer a query in the videos that an owner sees."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engines.embedder import embedder
from app.engines.index import keywords, search_index
from app.errors import InvalidInput
from app.models.videos import Segment, Video, VideoAccess
from app.services import hits
from app.services.hits import Hit

MODES = ("hybrid", "semantic", "keyword")
MAX_LIMIT = 100
DEPTH = 200
"""Candidates taken from each list; the pages of a search end where these do."""

BLOCK = 50
"""Candidates looked up at once: most searches end within the first."""

RANK_CONSTANT = 60
"""Of reciprocal rank fusion (Cormack et al., 2009): the higher, the less the first ranks stand out."""


@dataclass(frozen=True)
class Filters:
    """Which videos are searched: all conditions that are given must hold; the dates belong to the range."""

    video_id: str | None = None
    channel: str | None = None
    language: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class SearchPage:
    """Hits, best first; next_cursor is None on the last page."""

    hits: tuple[Hit, ...]
    next_cursor: str | None


def search(
    owner: str | None,
    query: str,
    *,
    mode: str = "hybrid",
    filters: Filters = Filters(),
    best_of_video: bool = False,
    context: int = 0,
    limit: int = 10,
    cursor: str | None = None,
) -> SearchPage:
    """The best sentence of each passage found by meaning, by words or (hybrid) both; owner None sees all.

    best_of_video: no second hit of a video. context: so many passages on either side of a hit's own.
    InvalidInput names what is wrong; SearchUnavailable where the index holds another model's vectors.
    """
    _check(query, mode, limit)
    mark = hashlib.sha256(repr((owner, query, mode, filters, best_of_video)).encode()).hexdigest()[:16]
    start = 0 if cursor is None else _start_of(cursor, mark)
    vector = None if mode == "keyword" else _embed(query)
    text = "" if mode == "semantic" else query
    dense, by_words = search_index().candidates(text, vector, _visible(owner, filters), DEPTH)
    rankings = {"hybrid": (dense, by_words), "semantic": (dense,), "keyword": (by_words,)}[mode]
    scores = fuse(*([candidate.segment_id for candidate in ranking] for ranking in rankings))
    ordered = _current(list(scores))
    if best_of_video:
        ordered = _first_of_each_video(ordered)
    end = start + limit
    # Two passages at most lead to one sentence: this many give one hit more than the page ends with.
    wanted = [segment_id for segment_id, _ in islice(ordered, 2 * (end + 1))]
    found = hits.of(wanted, scores, vector, keywords(text))
    shown = hits.highlighted(found[start:end], keywords(query))
    if context:
        shown = hits.with_neighbours(shown, context)
    return SearchPage(tuple(shown), _cursor(end, mark) if end < len(found) else None)


def fuse(*rankings: Sequence[str]) -> dict[str, float]:
    """Reciprocal rank fusion: each id's score, best first, as a share of what the first of all lists gets."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, segment_id in enumerate(ranking, start=1):
            share = (RANK_CONSTANT + 1) / (RANK_CONSTANT + rank) / len(rankings)
            scores[segment_id] = scores.get(segment_id, 0.0) + share
    return dict(sorted(scores.items(), key=lambda entry: (-entry[1], entry[0])))


def _check(query: str, mode: str, limit: int) -> None:
    if not query.strip():
        raise InvalidInput("q is empty; it holds the words or the question to search for.")
    if mode not in MODES:
        raise InvalidInput(f"mode is {mode!r}; it may be one of {', '.join(MODES)}.")
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(f"limit is {limit}; it may be 1 to {MAX_LIMIT}.")


def _cursor(start: int, mark: str) -> str:
    return base64.urlsafe_b64encode(f"{start}.{mark}".encode()).decode()


def _start_of(cursor: str, mark: str) -> int:
    try:
        start = int(base64.urlsafe_b64decode(cursor).partition(b".")[0])
    except ValueError:
        start = 0
    if start < 1 or _cursor(start, mark) != cursor:
        raise InvalidInput(
            f"cursor is {cursor!r}; it may be the next_cursor of this very search's last page."
        )
    return start


def _embed(query: str) -> NDArray[np.float32]:
    model = embedder()
    search_index().ensure(model.dimension, model.name)
    vector: NDArray[np.float32] = model.embed([query])[0]
    return vector


def _visible(owner: str | None, filters: Filters) -> frozenset[str] | None:
    """Ids of the videos that the owner sees and the filters let through; None: all there are."""
    conditions = list(_conditions(filters))
    if owner is not None:
        conditions.append(
            Video.id.in_(VideoAccess.select(VideoAccess.video).where(VideoAccess.owner == owner))
        )
    if not conditions:
        return None
    return frozenset(Video.select(Video.id).where(*conditions).scalars())


def _conditions(filters: Filters) -> Iterator[Any]:
    if filters.video_id is not None:
        yield Video.id == filters.video_id
    if filters.channel is not None:
        yield Video.channel == filters.channel
    if filters.language is not None:  # "en" finds "en-GB" too
        yield (Video.language == filters.language) | Video.language.startswith(filters.language + "-")
    if filters.since is not None:
        yield Video.published_on >= filters.since
    if filters.until is not None:
        yield Video.published_on <= filters.until


def _current(segment_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Those of the revision that counts, with their videos: the index may be ahead of the rows or behind."""
    query = Segment.select(Segment.id, Segment.video).join(Video).where(Segment.revision == Video.revision)
    for at in range(0, len(segment_ids), BLOCK):
        block = segment_ids[at : at + BLOCK]
        videos = {found.id: found.video_id for found in query.where(Segment.id.in_(block))}
        yield from ((segment_id, videos[segment_id]) for segment_id in block if segment_id in videos)


def _first_of_each_video(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen = set[str]()
    for segment_id, video_id in found:
        if video_id not in seen:
            seen.add(video_id)
            yield segment_id, video_id
