"""Bodies and answers of /api/batches, shared by server and client."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.schemas import MODES, Answer, Day, FailureAnswer, JobAnswer, Language, Mode, Priority, Strict

Most = Annotated[int, Field(ge=1, le=5000, description="Videos at most, in the list's order.")]
Since = Annotated[
    Day | None,
    Field(description="None that the list dates before this day; YouTube's '2 months ago' counts as rough."),
]
Address = Annotated[str, Field(max_length=2048)]


class VideoWishes(Strict):
    """What each job of a batch is asked for."""

    mode: Mode = Field("auto", description=MODES)
    priority: Priority = "default"
    language: Language | None = None
    options: dict[str, Any] = Field(default_factory=dict, max_length=0, description="None is known yet.")
    force: bool = Field(default=False, strict=True, description="Ingest again what was done before.")


class BatchBody(VideoWishes):
    """Videos to ingest: their addresses, or the one of a playlist, a channel or a page that holds them."""

    urls: list[Address] = Field(default_factory=list, max_length=1000)
    url: Address | None = Field(None, examples=["https://www.youtube.com/@YouTube"])
    limit: Most = 5000
    since: Since = None


class BatchAccepted(Answer):
    """A batch whose jobs will be made."""

    batch_id: str
    status: str = Field(examples=["Queued"])
    message: str
    links: dict[str, str]


class CountsAnswer(Answer):
    """Numbers of a batch's videos by what became of them; refused: no job could be made."""

    total: int = 0
    scheduled: int = 0
    pending: int = 0
    running: int = 0
    retrying: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    refused: int = 0


class RefusedAnswer(Answer):
    """A video of the list that cannot be ingested."""

    url: str
    code: str
    detail: str


class BatchAnswer(Answer):
    """Where a batch stands; progress in per cent. error is that of the listing."""

    batch_id: str
    user_id: str
    url: str | None
    title: str | None
    status: Literal["pending", "listing", "retrying", "running", "completed", "failed"]
    limit: int
    since: date | None
    created_at: datetime
    counts: CountsAnswer
    progress: float
    error: FailureAnswer | None
    links: dict[str, str]


class BatchDetailAnswer(BatchAnswer):
    """A batch with a page of its jobs, newest first, and at most a hundred of the refused videos."""

    jobs: list[JobAnswer]
    next_cursor: str | None
    refused: list[RefusedAnswer]


class BatchPage(Answer):
    """Batches, newest first."""

    data: list[BatchAnswer]
    next_cursor: str | None
