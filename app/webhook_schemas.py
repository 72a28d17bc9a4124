"""Bodies and answers of /api/webhooks, shared by server and client."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.schemas import Answer, Strict

EventName = Literal["progress", "completed", "failed", "cancelled"]
Events = Annotated[
    list[EventName],
    Field(
        min_length=1, max_length=4, description="Of which to tell; progress at most every 5 s for each job."
    ),
]
ENDS: tuple[EventName, ...] = ("completed", "failed", "cancelled")
ADDRESS = "https://example.org/hooks/youtube-rag"


class WebhookBody(Strict):
    """An address to tell of all one's jobs."""

    url: str = Field(max_length=2048, examples=[ADDRESS], description="https, on the internet.")
    events: Events = Field(default_factory=lambda: list(ENDS))


class WebhookChange(Strict):
    """What to change of a webhook; enabled: true also ends a pause, and what waited is sent."""

    url: str | None = Field(None, max_length=2048, examples=[ADDRESS])
    events: Events | None = None
    enabled: bool | None = Field(None, strict=True, examples=[True])


class WebhookAnswer(Answer):
    """A webhook without its secret; job_id where it was registered with one job."""

    id: str
    user_id: str
    job_id: str | None
    url: str = Field(examples=[ADDRESS])
    events: list[EventName]
    state: Literal["active", "paused", "disabled"] = Field(description="paused: after too many failures.")
    failures: int = Field(description="Tries in a row that failed.")
    paused_because: str | None
    created_at: datetime
    links: dict[str, str]


class NewWebhookAnswer(WebhookAnswer):
    """A new webhook, with the secret that signs what is sent; it is shown this once."""

    secret: str = Field(examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])


class WebhookPage(Answer):
    """Webhooks, newest first."""

    data: list[WebhookAnswer]
    next_cursor: str | None


class DeliveryAnswer(Answer):
    """One call of a webhook; id is its webhook-id header, the same at each try."""

    id: str
    webhook_id: str
    job_id: str | None
    type: str = Field(examples=["completed"])
    state: Literal["pending", "delivered", "failed"]
    attempts: int
    next_at: datetime | None = Field(description="When the next try is due.")
    status_code: int | None = Field(description="What the receiver answered last.")
    error: str | None
    body: str = Field(description="What is sent, to the letter.")
    created_at: datetime
    finished_at: datetime | None
    links: dict[str, str]


class DeliveryPage(Answer):
    """Deliveries, newest first."""

    data: list[DeliveryAnswer]
    next_cursor: str | None
