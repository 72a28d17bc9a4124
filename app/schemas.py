"""Bodies and queries of the HTTP API, shared by server and client."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from app.values import LANGUAGES
from app.values import PRIORITIES as PRIORITIES
from app.values import PRIORITY_NAMES as PRIORITY_NAMES

Priority = Literal["low", "default", "high", "critical"]
JobState = Literal["scheduled", "pending", "running", "retrying", "completed", "failed", "cancelled"]
MODES = (
    "auto: captions that the owner wrote, else the speech is recognised. captions: only captions, "
    "the source's own recognition among them. asr: always recognise the speech."
)
StageState = Literal["pending", "running", "retrying", "completed", "failed", "skipped"]
Mode = Literal["auto", "captions", "asr"]


def _known(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"{code!r} is no language that can be recognised; en, de or es would be")
    return code


Language = Annotated[
    str,
    AfterValidator(_known),
    Field(
        description="ISO 639 code of the speech; left out: detected.",
        json_schema_extra={"enum": sorted(LANGUAGES)},
    ),
]
Cursor = Annotated[str | None, Field(description="next_cursor of the page before.")]


class Strict(BaseModel):
    """A body or query in which an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """An answer, made from a service's value."""

    model_config = ConfigDict(from_attributes=True)


def _written_out(day: object) -> object:
    """Refuse a number of seconds since 1970, which pydantic would take for a day."""
    if isinstance(day, int | float):
        raise ValueError("write the day as 2026-01-31")
    return date.fromisoformat(day) if isinstance(day, str) else day


Day = Annotated[date, BeforeValidator(_written_out)]
"""A day as 2026-01-31."""

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class ProcessBody(Strict):
    """A video to ingest."""

    url: str = Field(max_length=2048, examples=["https://www.youtube.com/watch?v=jNQXAC9IVRw"])
    mode: Mode = Field("auto", description=MODES)
    priority: Priority = "default"
    language: Language | None = None
    options: dict[str, Any] = Field(default_factory=dict, max_length=0, description="None is known yet.")
    run_at: AwareDatetime | None = Field(
        None, ge=FIRST, lt=LAST, description="Not before this moment, with its zone."
    )
    delay_s: float | None = Field(
        None, ge=0, le=366 * 86400, strict=True, description="Not before this many seconds."
    )
    force: bool = Field(default=False, strict=True, description="Ingest again although it was done before.")
    webhook_url: str | None = Field(
        None,
        max_length=2048,
        examples=["https://example.org/hooks/youtube-rag"],
        description="An address to tell of this job: progress, completed, failed, cancelled.",
    )


class UploadFields(Strict):
    """What may come beside an uploaded file."""

    title: str | None = Field(None, max_length=500)
    priority: Priority = "default"
    language: Language | None = None
    force: bool = False


class Accepted(Answer):
    """A job that will be done, or (deduplicated) the one that does the same."""

    job_id: str
    message_id: str
    status: str = Field(examples=["Queued"])
    message: str
    deduplicated: bool = False
    webhook_id: str | None = Field(default=None, description="Where webhook_url was given.")
    webhook_secret: str | None = Field(
        default=None, description="What signs its deliveries; shown this once."
    )
    links: dict[str, str]


class FailureAnswer(Answer):
    """What went wrong, whether the same again may succeed, and what to do."""

    code: str
    detail: str
    retryable: bool
    hint: str


class StageAnswer(Answer):
    """Where one stage stands; progress in per cent."""

    name: str
    status: StageState
    progress: float
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    error: FailureAnswer | None


class JobAnswer(Answer):
    """A job in a list; progress in per cent."""

    job_id: str
    name: str
    job_type: str = "ingest"
    url: str
    user_id: str
    status: JobState
    message_state: str
    priority: Priority
    progress: float
    current_stage: str | None
    created_at: datetime
    run_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    estimated_completion: datetime | None
    attempt: int
    next_retry_at: datetime | None
    queue_position: int | None = Field(
        description="Its place while it waits, from 1; 1001: farther back. Only in a job's own status."
    )
    waits_for: str | None = Field(description="A resource of which there is none for it now.")
    message: str | None = Field(description="What the job waits for and why, where it waits.")
    video_id: str | None
    video_title: str | None
    warning: str | None
    error: FailureAnswer | None
    links: dict[str, str]


class JobStatusAnswer(JobAnswer):
    """A job with its stages."""

    stages: list[StageAnswer]


class JobPage(Answer):
    """Jobs, newest first."""

    data: list[JobAnswer]
    next_cursor: str | None


class JobFilter(Strict):
    """Which jobs: all that is given must hold."""

    status: JobState | None = None
    priority: Priority | None = None
    video_id: str | None = Field(default=None, max_length=26)
    batch_id: str | None = Field(default=None, max_length=26)
    error_code: str | None = Field(default=None, max_length=64, examples=["video_unavailable"])
    q: str | None = Field(
        default=None, max_length=500, description="Text in the URL or the name, in whatever case."
    )


class JobsQuery(JobFilter):
    """Which jobs, and which page of them."""

    limit: int = Field(50, ge=1, le=200)
    cursor: Cursor = None


class VideoAnswer(Answer):
    """A video that was ingested."""

    id: str
    title: str
    channel: str | None
    language: str | None
    duration_s: float | None
    published_on: date | None
    thumbnail_url: str | None
    url: str
    transcript_source: str | None
    created_at: datetime
    links: dict[str, str]


class ChapterAnswer(Answer):
    """A part of a video, as its owner cut and named it."""

    title: str
    start_s: float
    end_s: float


class VideoDetailAnswer(VideoAnswer):
    """A video with all that its owner says of it."""

    description: str | None
    tags: list[str]
    chapters: list[ChapterAnswer]


class VideoPage(Answer):
    """Videos, newest first."""

    data: list[VideoAnswer]
    next_cursor: str | None


class PageQuery(Strict):
    """A page of a list."""

    limit: int = Field(50, ge=1, le=200)
    cursor: Cursor = None


class TranscriptQuery(Strict):
    """In which form."""

    format: Literal["json", "srt", "vtt", "txt"] = "json"


class SentenceAnswer(Answer):
    """A sentence and when it is said, seconds.

    doubt: why it may never have been said; searches do not find it then: loop, no_speech, unsure, hurried.
    """

    text: str
    start_s: float
    end_s: float
    doubt: str | None = None


class TranscriptAnswer(Answer):
    """All that is said in a video."""

    video_id: str
    title: str
    language: str | None
    source: str | None
    duration_s: float | None
    sentences: list[SentenceAnswer]


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="Stable; docs/errors.md lists all.")
    detail: str
    hint: str
