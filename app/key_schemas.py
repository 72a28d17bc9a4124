"""Bodies and answers of /api/keys, shared by server and client."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas import Answer, Strict


class KeyBody(Strict):
    """A key to make."""

    owner: str = Field(
        min_length=1,
        max_length=64,
        pattern=r"\S",
        examples=["ada"],
        description="Whose jobs and videos it shows.",
    )
    role: Literal["user", "admin"] = Field("user", description="admin: sees everybody's, and makes keys.")
    requests_per_minute: int | None = Field(
        None, ge=1, le=1_000_000, strict=True, description="Left out: as YTRAG_REQUESTS_PER_MINUTE says."
    )


class KeyAnswer(Answer):
    """A key without its secret; id is how it begins, after ytrag_."""

    id: str = Field(examples=["1a2b3c4d"])
    owner: str = Field(examples=["ada"])
    role: str = Field(examples=["user"])
    requests_per_minute: int | None
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class NewKeyAnswer(KeyAnswer):
    """A new key, which is shown this once."""

    key: str = Field(examples=["ytrag_1a2b3c4d_oUJX0aVq5Gv0Yx8bN0m0r3mZ8yq2b1y7S6c9nW5tL4k"])


class KeyPage(Answer):
    """Keys, newest first."""

    data: list[KeyAnswer]
    next_cursor: str | None
