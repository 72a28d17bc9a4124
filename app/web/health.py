"""Whether the process lives, and whether it can serve."""

from flask import Blueprint

from app.errors import DatabaseUnavailable
from app.models.base import ping
from monitoring.health import OK, Check

blueprint = Blueprint("health", __name__)
database = Check(ping)


@blueprint.get("/healthz")
@blueprint.get("/health")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def ready() -> dict[str, str]:
    """The database answers in time."""
    if (found := database()) != OK:
        raise DatabaseUnavailable(f"The database does not answer: {found}.")
    return {"status": "ok", "database": OK}
