"""Queries and answers of searching, shared by server and client."""

from typing import Literal

from pydantic import Field

from app.schemas import Answer, Cursor, Day, SentenceAnswer, Strict

Span = tuple[int, int]


class SearchFilter(Strict):
    """What to look for, how, and in which videos: all conditions that are given must hold."""

    q: str = Field(max_length=2000, examples=["how do pendulum clocks work"])
    mode: Literal["hybrid", "semantic", "keyword"] = Field(
        "hybrid", description="By meaning (semantic), by words (keyword), or by both."
    )
    video_id: str | None = Field(None, max_length=64)
    channel: str | None = Field(None, max_length=255, description="The channel's name, as in an answer.")
    language: str | None = Field(None, max_length=10, description="ISO 639; en finds en-GB too.")
    since: Day | None = Field(None, description="Published on this day or later.")
    until: Day | None = Field(None, description="Published on this day or earlier.")


class SearchQuery(SearchFilter):
    """A search, and which page of it."""

    best_of_video: bool = Field(default=False, description="No second hit of a video.")
    context: int = Field(0, ge=0, le=5, description="So many passages before and after each hit's own.")
    limit: int = Field(10, ge=1, le=100)
    cursor: Cursor = None


class FoundVideoAnswer(Answer):
    """The video of a hit."""

    id: str
    title: str
    channel: str | None
    duration_s: float | None
    language: str | None
    url: str


class HitAnswer(Answer):
    """A sentence, when it is said, and the passage it stands in; url opens the video there."""

    segment_id: str
    text: str
    highlights: list[Span] = Field(
        description="Start and end of each of the query's words in text, in Unicode characters."
    )
    score: float
    start_s: float
    end_s: float
    url: str
    passage: SentenceAnswer
    before: list[SentenceAnswer] = Field(description="The passages before, as many as context asks for.")
    after: list[SentenceAnswer]
    video: FoundVideoAnswer


class SearchAnswer(Answer):
    """Hits, best first."""

    hits: list[HitAnswer]
    next_cursor: str | None


class ContextQuery(SearchFilter):
    """A question, and how much of a prompt its answer may take."""

    max_tokens: int = Field(
        2000, ge=200, le=100_000, description="Most tokens of text, by an estimate that rather says more."
    )


class CitationAnswer(Answer):
    """A passage as it stands in the text under its number; url opens the video there."""

    number: int
    text: str
    start_s: float
    end_s: float
    score: float
    url: str
    video: FoundVideoAnswer


class ContextAnswer(Answer):
    """Text that is ready for a prompt, and the passages in it, best first."""

    text: str
    tokens: int = Field(description="An estimate of what text takes; models count differently.")
    passages: list[CitationAnswer]
