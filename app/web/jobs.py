"""Jobs: where they stand, and cancelling them."""

from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.errors import InvalidInput
from app.models.jobs import ACTIVE
from app.schemas import PRIORITY_NAMES, JobAnswer, JobPage, JobsQuery, JobStatusAnswer, PageQuery
from app.services import jobs, statuses
from app.services.statuses import JobStatus
from app.web.auth import caller
from app.web.links import job_links

blueprint = APIBlueprint("jobs", __name__, url_prefix="/api", abp_tags=[Tag(name="jobs")])


class JobPath(BaseModel):
    """Which job."""

    job_id: str = Field(max_length=64)


@blueprint.get("/jobs/<job_id>/status", responses={200: JobStatusAnswer})
def show_status(path: JobPath) -> dict[str, object]:
    """Where a job stands, stage by stage."""
    status = statuses.of(path.job_id, caller().sees)
    return JobStatusAnswer.model_validate(_plain(status)).model_dump(mode="json")


@blueprint.get("/jobs", responses={200: JobPage})
def list_jobs(query: JobsQuery) -> dict[str, object]:
    """Jobs, newest first."""
    return _page((query.status,) if query.status else (), query.limit, query.cursor)


@blueprint.get("/jobs/active", responses={200: JobPage})
def list_active(query: PageQuery) -> dict[str, object]:
    """Jobs that have not ended, newest first."""
    return _page(ACTIVE, query.limit, query.cursor)


@blueprint.delete("/jobs/<job_id>", responses={204: None})
@blueprint.delete("/videos/jobs/<job_id>", responses={204: None})
def cancel(path: JobPath) -> Response:
    """Stop a job; a second time is as good as the first."""
    jobs.cancel(path.job_id, caller().sees)
    return Response(status=204)


def _page(states: tuple[str, ...], limit: int, cursor: str | None) -> dict[str, object]:
    check_cursor(cursor)
    found = statuses.page(caller().sees, states=states, before=cursor, limit=limit + 1)
    rows = [JobAnswer.model_validate(_plain(status)) for status in found[:limit]]
    next_cursor = rows[-1].job_id if len(found) > limit else None
    return JobPage(data=rows, next_cursor=next_cursor).model_dump(mode="json")


def check_cursor(cursor: str | None) -> None:
    """InvalidInput unless it is the id that a page ended with."""
    if cursor is not None and not (len(cursor) == 26 and cursor.isalnum()):
        raise InvalidInput(f"cursor is {cursor!r}; it may be the next_cursor of the page before.")


def _plain(status: JobStatus) -> dict[str, object]:
    return {
        **vars(status),
        "priority": PRIORITY_NAMES[status.priority],
        "links": job_links(status.job_id),
    }
