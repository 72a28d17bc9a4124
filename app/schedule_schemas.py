"""Bodies and answers of /api/schedules, shared by server and client."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from app.schemas import Answer, Language, Mode, Priority, Strict


class IngestPayload(Strict):
    """A video to ingest."""

    url: str = Field(max_length=2048, examples=["https://www.youtube.com/watch?v=jNQXAC9IVRw"])
    mode: Mode = "auto"
    priority: Priority = "default"
    language: Language | None = None
    force: bool = Field(
        default=False, strict=True, description="Each time anew; else once, until it has succeeded."
    )


class SyncPayload(Strict):
    """A playlist or channel whose new videos are to be ingested."""

    url: str = Field(max_length=2048, examples=["https://www.youtube.com/@YouTube"])
    limit: int = Field(100, ge=1, le=5000, strict=True, description="Videos looked at, in the list's order.")
    mode: Mode = "auto"
    priority: Priority = "default"
    language: Language | None = None


class HousekeepingPayload(Strict):
    """Work of the program's own."""

    name: str = Field(max_length=26, examples=["retention"])


class ScheduleFields(Strict):
    """What every schedule has."""

    name: str = Field(max_length=100, pattern=r"\S", description="The same again updates the schedule.")
    cron: str = Field(
        max_length=100,
        examples=["0 6 * * 1-5"],
        description="Minute, hour, day of month, month, day of week (0 and 7 are Sunday).",
    )
    timezone: str = Field("UTC", max_length=64, examples=["Europe/Berlin"], description="IANA's name.")
    enabled: bool | None = Field(
        None, strict=True, description="Left out: as it is; a new schedule is enabled."
    )


class IngestSchedule(ScheduleFields):
    """A schedule that ingests a video."""

    action: Literal["ingest"]
    payload: IngestPayload


class SyncSchedule(ScheduleFields):
    """A schedule that ingests what is new in a playlist or channel."""

    action: Literal["sync"]
    payload: SyncPayload


class HousekeepingSchedule(ScheduleFields):
    """A schedule of the program's own work, for admins."""

    action: Literal["housekeeping"]
    payload: HousekeepingPayload


class ScheduleBody(
    RootModel[Annotated[IngestSchedule | SyncSchedule | HousekeepingSchedule, Field(discriminator="action")]]
):
    """A schedule to add, or to update by its name."""


class ScheduleChange(Strict):
    """Whether a schedule fires."""

    enabled: bool = Field(strict=True)


class ScheduleAnswer(Answer):
    """A schedule; next_run is null while it is disabled, last_outcome a sentence."""

    id: str
    name: str
    user_id: str
    cron: str
    timezone: str
    action: str
    payload: dict[str, Any]
    enabled: bool
    next_run: datetime | None
    last_run: datetime | None
    last_job_id: str | None
    last_outcome: str | None
    created_at: datetime
    updated_at: datetime
    links: dict[str, str]


class SchedulePage(Answer):
    """Schedules, newest first."""

    data: list[ScheduleAnswer]
    next_cursor: str | None


class RunAnswer(Answer):
    """What a schedule started: a job, or (job_id null) the program's own work."""

    job_id: str | None
    message_id: str
    status: str
    message: str
    deduplicated: bool
    links: dict[str, str]
