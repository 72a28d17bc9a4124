"""Whether the process lives, and whether it can serve."""

from flask import Blueprint

from app.models.base import database

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@blueprint.get("/health")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def ready() -> dict[str, str]:
    """The database answers."""
    database.execute_sql("SELECT 1")
    return {"status": "ok", "database": "ok"}
