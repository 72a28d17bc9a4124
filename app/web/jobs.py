"""Jobs: where they stand, and what can be done to them."""

from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.action_schemas import BulkAnswer, BulkBody, RetryAnswer, RetryBody, StatsAnswer
from app.errors import InvalidInput
from app.models.jobs import ACTIVE
from app.schemas import (
    PRIORITIES,
    PRIORITY_NAMES,
    JobAnswer,
    JobFilter,
    JobPage,
    JobsQuery,
    JobStatusAnswer,
    PageQuery,
)
from app.services import bulk, census, jobs, retries, statuses
from app.services.selection import Selection
from app.services.statuses import JobStatus
from app.web.auth import caller
from app.web.links import job_links

BULK_JOBS = 1000
"""Most jobs of one bulk request, which is to be answered while its sender waits."""

MEANT = {"cancel": ACTIVE, "retry": ("failed",), "acknowledge": ("failed",)}
"""States of the jobs that a bulk action means if it names none."""

blueprint = APIBlueprint("jobs", __name__, url_prefix="/api", abp_tags=[Tag(name="jobs")])


class JobPath(BaseModel):
    """Which job."""

    job_id: str = Field(max_length=64)


@blueprint.get("/jobs/<job_id>/status", responses={200: JobStatusAnswer})
def show_status(path: JobPath) -> dict[str, object]:
    """Where a job stands, stage by stage."""
    status = statuses.of(path.job_id, caller().sees)
    return JobStatusAnswer.model_validate(plain(status)).model_dump(mode="json")


@blueprint.get("/jobs", responses={200: JobPage})
def list_jobs(query: JobsQuery) -> dict[str, object]:
    """Jobs, newest first."""
    return _page(_selection(query, query.cursor), query.limit)


@blueprint.get("/jobs/active", responses={200: JobPage})
def list_active(query: PageQuery) -> dict[str, object]:
    """Jobs that have not ended, newest first."""
    return _page(_selection(JobFilter(), query.cursor, ACTIVE), query.limit)


@blueprint.get("/jobs/stats", responses={200: StatsAnswer})
def show_stats() -> dict[str, object]:
    """How many jobs there are of each kind."""
    return StatsAnswer.model_validate(census.stats(caller().sees)).model_dump(mode="json")


@blueprint.delete("/jobs/<job_id>", responses={204: None})
@blueprint.delete("/videos/jobs/<job_id>", responses={204: None})
def cancel(path: JobPath) -> Response:
    """Stop a job; a second time is as good as the first."""
    jobs.cancel(path.job_id, caller().sees)
    return Response(status=204)


@blueprint.post("/jobs/<job_id>/retry", responses={202: RetryAnswer})
def retry(path: JobPath, body: RetryBody) -> tuple[dict[str, object], int, dict[str, str]]:
    """Do a job again that has ended, from the stage that failed or from another one."""
    done = retries.retry(path.job_id, caller().sees, body.from_stage)
    because = "" if done.from_stage == done.wanted else f", because {done.wanted} lacks what it works on"
    answer = RetryAnswer(
        job_id=done.job.id,
        message_id=done.job.message_id,
        status="Queued",
        message=f"The job begins with {done.from_stage}{because}.",
        links=job_links(done.job.id),
        from_stage=done.from_stage,
    )
    return answer.model_dump(mode="json"), 202, {"Location": answer.links["status"]}


@blueprint.post("/jobs/bulk", responses={200: BulkAnswer})
def do_in_bulk(body: BulkBody) -> dict[str, object]:
    """Cancel, retry or acknowledge the jobs that the filter finds, newest first, a thousand at most."""
    wanted = _selection(body.filter, body.cursor, MEANT[body.action])
    outcome = bulk.apply(body.action, wanted, dry_run=body.dry_run, limit=BULK_JOBS)
    answer = BulkAnswer(action=body.action, dry_run=body.dry_run, **vars(outcome))
    return answer.model_dump(mode="json")


def _selection(wanted: JobFilter, cursor: str | None, states: tuple[str, ...] = ()) -> Selection:
    """The caller's jobs that are wanted; in these states where the filter names none."""
    check_cursor(cursor)
    return Selection(
        owner=caller().sees,
        states=(wanted.status,) if wanted.status else states,
        priority=PRIORITIES[wanted.priority] if wanted.priority else None,
        video_id=wanted.video_id,
        batch_id=wanted.batch_id,
        error_code=wanted.error_code,
        q=wanted.q,
        before=cursor,
    )


def _page(selection: Selection, limit: int) -> dict[str, object]:
    found = statuses.page(selection, limit=limit + 1)
    rows = [JobAnswer.model_validate(plain(status)) for status in found[:limit]]
    next_cursor = rows[-1].job_id if len(found) > limit else None
    return JobPage(data=rows, next_cursor=next_cursor).model_dump(mode="json")


def check_cursor(cursor: str | None) -> None:
    """InvalidInput unless it is the id that a page ended with."""
    if cursor is not None and not (len(cursor) == 26 and cursor.isalnum()):
        raise InvalidInput(f"cursor is {cursor!r}; it may be the next_cursor of the page before.")


def plain(status: JobStatus) -> dict[str, object]:
    """A status as answers have it."""
    return {
        **vars(status),
        "priority": PRIORITY_NAMES[status.priority],
        "links": job_links(status.job_id),
    }
