"""Whether the process lives, and whether it can serve."""

from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel

from app.errors import DatabaseUnavailable
from app.models.base import ping
from monitoring.health import OK, Check

blueprint = APIBlueprint("health", __name__, abp_tags=[Tag(name="health")])
database = Check(ping)


class Health(BaseModel):
    """What was looked at, and found well."""

    status: str = "ok"
    database: str | None = None


@blueprint.get("/healthz", responses={200: Health})
@blueprint.get("/health", responses={200: Health})
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz", responses={200: Health})
def ready() -> dict[str, str]:
    """The database answers in time."""
    if (found := database()) != OK:
        raise DatabaseUnavailable(f"The database does not answer: {found}.")
    return {"status": "ok", "database": OK}
