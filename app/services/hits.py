"""Turns the passages that a search found into sentences, each with the second at which it is said."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app import config
from app.engines.sources import link_at
from app.models.videos import Segment, Video
from app.services import highlights

OVERLAP_WEIGHT = 0.2
"""What all of a query's words in a sentence add to its cosine."""

MARGIN = 0.1
"""By how much the sentence before a passage must answer better than the passage's own."""


@dataclass(frozen=True)
class FoundPassage:
    """The neighbourhood of a hit."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class FoundVideo:
    """The video of a hit."""

    id: str
    title: str
    channel: str | None
    duration_s: float | None
    language: str | None
    url: str


@dataclass(frozen=True)
class Hit:
    """A sentence, and where it is said; url opens the video there.

    score is the fused rank, 0 to 1: 1 for what every list ranks first, 0.5 for what is first in one of two.
    highlights: see highlighted(). before, after: see with_neighbours().
    """

    segment_id: str
    text: str
    start_s: float
    end_s: float
    score: float
    passage: FoundPassage
    video: FoundVideo
    url: str
    highlights: tuple[tuple[int, int], ...] = ()
    before: tuple[FoundPassage, ...] = ()
    after: tuple[FoundPassage, ...] = ()


def of(
    segment_ids: Sequence[str],
    scores: Mapping[str, float],
    vector: NDArray[np.float32] | None,
    query_words: Sequence[str],
) -> list[Hit]:
    """The best sentence of each passage, in the passages' order, each sentence once.

    A passage is found by the sentence before it too, which then is the hit, in the passage that it stands in.
    """
    found = _load(segment_ids)
    by_place = {(segment.revision, segment.position): segment for segment in found.values()}
    chosen: dict[tuple[str, int], Hit] = {}
    for segment in (found[segment_id] for segment_id in segment_ids if segment_id in found):
        before = by_place.get((segment.revision, segment.position - 1))
        places = [(segment, number) for number in range(len(segment.sentences))]
        places += [(before, len(before.sentences) - 1)] if before else []
        answers = _answers(places, vector, query_words)
        answers[len(segment.sentences) :] -= MARGIN
        owner, number = places[int(np.argmax(answers))]
        chosen.setdefault((owner.id, number), _hit(owner, number, scores[segment.id]))
    return list(chosen.values())


def highlighted(found: Sequence[Hit], query_words: Sequence[str]) -> list[Hit]:
    """The hits with start and end of each of the query's words in their text."""
    return [replace(hit, highlights=tuple(highlights.spans(hit.text, query_words))) for hit in found]


def with_neighbours(found: Sequence[Hit], distance: int) -> list[Hit]:
    """The hits with so many passages before and after each one's own, as far as there are."""
    own = {s.id: s for s in Segment.select().where(Segment.id.in_([hit.segment_id for hit in found]))}
    near: dict[tuple[str, int], FoundPassage] = {}
    for segment in own.values():
        within = Segment.position.between(segment.position - distance, segment.position + distance)
        same = (Segment.video == segment.video_id) & (Segment.revision == segment.revision)
        for other in Segment.select().where(same & within):
            near[other.video_id, other.position] = FoundPassage(other.text, other.start_s, other.end_s)

    def passages(segment: Segment, positions: range) -> tuple[FoundPassage, ...]:
        places = [(segment.video_id, position) for position in positions]
        return tuple(near[place] for place in places if place in near)

    return [
        replace(
            hit,
            before=passages(it, range(it.position - distance, it.position)),
            after=passages(it, range(it.position + 1, it.position + distance + 1)),
        )
        for hit, it in ((hit, own[hit.segment_id]) for hit in found)
    ]


def answer_scores(
    sentences: Sequence[str], cosines: NDArray[np.float32] | None, query_words: Sequence[str]
) -> NDArray[np.float32]:
    """How well each sentence answers: by its nearness in meaning (if known) and the query's words in it."""
    shares = np.array([highlights.share(sentence, query_words) for sentence in sentences], np.float32)
    return shares if cosines is None else cosines + np.float32(OVERLAP_WEIGHT) * shares


def _load(segment_ids: Sequence[str]) -> dict[str, Segment]:
    """The segments and those just before them, with their videos."""
    after = Segment.alias()
    same = (after.video == Segment.video) & (after.revision == Segment.revision)
    just_before = same & (after.position == Segment.position + 1)
    before = Segment.select(Segment.id).join(after, on=just_before).where(after.id.in_(segment_ids))
    wanted = Segment.id.in_(segment_ids) | Segment.id.in_(before)
    return {segment.id: segment for segment in Segment.select(Segment, Video).join(Video).where(wanted)}


def _answers(
    places: Sequence[tuple[Segment, int]], vector: NDArray[np.float32] | None, query_words: Sequence[str]
) -> NDArray[np.float32]:
    texts = [segment.sentences[number][0] for segment, number in places]
    vectors = [_vector(segment, number) for segment, number in places]
    known = [found for found in vectors if found is not None]
    cosines = np.stack(known) @ vector if vector is not None and len(known) == len(vectors) else None
    return answer_scores(texts, cosines, query_words)


def _vector(segment: Segment, number: int) -> NDArray[np.float32] | None:
    if segment.vectors is None:
        return None
    rows = np.frombuffer(segment.vectors, np.float16).reshape(1 + len(segment.sentences), -1)
    sentence: NDArray[np.float32] = rows[1 + number].astype(np.float32)
    return sentence


def _hit(segment: Segment, number: int, score: float) -> Hit:
    text, start_s, end_s = segment.sentences[number]
    video = segment.video
    return Hit(
        segment_id=segment.id,
        text=text,
        start_s=start_s,
        end_s=end_s,
        score=round(score, 4),
        passage=FoundPassage(segment.text, segment.start_s, segment.end_s),
        video=FoundVideo(
            video.id, video.title, video.channel, video.duration_s, video.language, video.webpage_url
        ),
        url=address_at(video.id, video.webpage_url, start_s),
    )


def address_at(video_id: str, webpage_url: str, start_s: float) -> str:
    """Where the video opens at this second: at its source, or on our own page if it was uploaded."""
    if webpage_url.startswith("upload:"):
        return f"{config.current().address()}/videos/{video_id}?t={math.floor(start_s)}#at"
    return link_at(webpage_url, start_s)
