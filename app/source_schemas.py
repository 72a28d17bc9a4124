"""Answers of /api/sources, shared by server and client."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas import Answer, FailureAnswer


class SourceAnswer(Answer):
    """A source of videos: closed: all is well; open: left alone; half_open: a probe is at it."""

    source: str = Field(examples=["www.youtube.com"])
    state: Literal["closed", "open", "half_open"]
    paused: bool
    paused_by: str | None
    error: FailureAnswer | None = Field(description="Why it is left alone.")
    since: datetime | None
    until: datetime | None = Field(description="When the next probe may go, or must have been answered.")
    last_probe_at: datetime | None
    waiting: int = Field(description="Jobs and listings that wait until it may be asked.")
    running: int = Field(description="Downloads that are at work.")


class SourcesAnswer(Answer):
    """All sources that were ever used, refused us or were paused."""

    data: list[SourceAnswer]
