"""Turns the passages that a search found into sentences, each with the second at which it is said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engines.index import words
from app.engines.sources import link_at
from app.models.videos import Segment, Video

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
    """

    segment_id: str
    text: str
    start_s: float
    end_s: float
    score: float
    passage: FoundPassage
    video: FoundVideo
    url: str


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


def answer_scores(
    sentences: Sequence[str], cosines: NDArray[np.float32] | None, query_words: Sequence[str]
) -> NDArray[np.float32]:
    """How well each sentence answers: by its nearness in meaning (if known) and the query's words in it."""
    shares = np.array([_share(query_words, sentence) for sentence in sentences], np.float32)
    return shares if cosines is None else cosines + np.float32(OVERLAP_WEIGHT) * shares


def _load(segment_ids: Sequence[str]) -> dict[str, Segment]:
    """The segments and those just before them, with their videos."""
    after = Segment.alias()
    same = (after.revision == Segment.revision) & (after.position == Segment.position + 1)
    before = Segment.select(Segment.id).join(after, on=same).where(after.id.in_(segment_ids))
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
        url=link_at(video.webpage_url, start_s),
    )


def _share(query_words: Sequence[str], sentence: str) -> float:
    """The fraction of the words that the sentence holds, in whatever inflection."""
    stems = tuple(_stem(word) for word in words(sentence))
    held = [word for word in query_words if any(_alike(_stem(word), stem) for stem in stems)]
    return len(held) / len(query_words) if query_words else 0.0


def _stem(word: str) -> str:
    """The word without the commonest English endings: enough to tell sentences of one passage apart."""
    return re.sub(r"(?<=...)(ies|ied|ing|'s|ed|es|s|y|e)$", "", word)


def _alike(stem: str, other: str) -> bool:
    """Equal, or one of three letters or more begins the other by at most one letter less (run, runn-ing)."""
    short, long = sorted((stem, other), key=len)
    return stem == other or (len(short) >= 3 and len(long) == len(short) + 1 and long.startswith(short))
