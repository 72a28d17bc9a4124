"""Bodies and answers of what is done to jobs, singly and in bulk, shared by server and client."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.schemas import Accepted, Answer, Cursor, JobFilter, Strict
from app.stages import NAMES


def _stage(name: str) -> str:
    if name not in NAMES:
        raise ValueError(f"{name!r} is no stage; there are {', '.join(NAMES)}")
    return name


StageName = Annotated[
    str,
    AfterValidator(_stage),
    Field(
        description="A stage; left out: the one that failed, else the first.",
        json_schema_extra={"enum": list(NAMES)},
    ),
]


class RetryBody(Strict):
    """Where to begin."""

    from_stage: StageName | None = None


class RetryAnswer(Accepted):
    """A job that is at work again, and the stage that it begins with."""

    from_stage: str


class BulkBody(Strict):
    """What to do to which jobs; without a status, cancel means active jobs, the others failed ones."""

    action: Literal["cancel", "retry", "acknowledge"] = Field(
        description="acknowledge: note failures, so that the alert FailedJobsHigh counts them no more."
    )
    filter: JobFilter
    dry_run: bool = Field(default=False, strict=True, description="Only count: try each and undo it.")
    cursor: Cursor = None


class BulkAnswer(Answer):
    """How many jobs were meant and done, and refusals by their code; next_cursor where there may be more."""

    action: str
    dry_run: bool
    matched: int
    done: int
    refused: dict[str, int]
    next_cursor: str | None


class StatsAnswer(Answer):
    """Numbers of jobs, of servers that run stages, and of schedules."""

    enqueued: int = Field(description="Waiting to be started.")
    processing: int
    succeeded: int
    failed: int
    scheduled: int = Field(description="Waiting for their time or for their next attempt.")
    deleted: int = Field(description="Cancelled.")
    servers: int
    recurring: int
