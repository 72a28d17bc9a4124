"""Batches: many videos at once, or all of a playlist or channel."""

from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.batch_schemas import BatchAccepted, BatchAnswer, BatchBody, BatchDetailAnswer, BatchPage
from app.models.batches import Batch
from app.schemas import PRIORITIES, JobAnswer, PageQuery
from app.services import batches, space, statuses
from app.services.selection import Selection
from app.web.auth import caller
from app.web.jobs import check_cursor, plain
from app.web.links import batch_links

MOST_REFUSED = 100

blueprint = APIBlueprint("batches", __name__, url_prefix="/api/batches", abp_tags=[Tag(name="batches")])


class BatchPath(BaseModel):
    """Which batch."""

    batch_id: str = Field(max_length=64)


@blueprint.post("", responses={202: BatchAccepted})
def create(body: BatchBody) -> tuple[dict[str, object], int, dict[str, str]]:
    """Ingest all these videos, or those of a list; what was ingested before is not done again."""
    space.check()
    wishes = body.model_dump(include={"mode", "language", "options", "force"})
    batch = batches.create(
        caller().owner,
        urls=body.urls,
        url=body.url,
        most=body.limit,
        since=body.since,
        priority=PRIORITIES[body.priority],
        **wishes,
    )
    links = batch_links(batch.id)
    message = "The videos will be listed, then processed." if body.url else "The videos will be processed."
    answer = BatchAccepted(batch_id=batch.id, status="Queued", message=message, links=links)
    return answer.model_dump(mode="json"), 202, {"Location": links["self"]}


@blueprint.get("", responses={200: BatchPage})
def list_batches(query: PageQuery) -> dict[str, object]:
    """Batches, newest first; admins see all."""
    check_cursor(query.cursor)
    found = batches.page(caller().sees, before=query.cursor, limit=query.limit + 1)
    rows = [BatchAnswer.model_validate(_about(batch)) for batch in found[: query.limit]]
    next_cursor = rows[-1].batch_id if len(found) > query.limit else None
    return BatchPage(data=rows, next_cursor=next_cursor).model_dump(mode="json")


@blueprint.get("/<batch_id>", responses={200: BatchDetailAnswer})
def show(path: BatchPath, query: PageQuery) -> dict[str, object]:
    """Where a batch stands, with a page of its jobs."""
    check_cursor(query.cursor)
    batch = batches.get(path.batch_id, caller().sees)
    selection = Selection(owner=caller().sees, batch_id=batch.id, before=query.cursor)
    found = statuses.page(selection, limit=query.limit + 1)
    jobs = [JobAnswer.model_validate(plain(status)) for status in found[: query.limit]]
    refused = [
        {"url": entry.url, "code": entry.error_code, "detail": entry.error_text}
        for entry in batches.standing(batch).refused[:MOST_REFUSED]
    ]
    next_cursor = jobs[-1].job_id if len(found) > query.limit else None
    more = {"jobs": jobs, "next_cursor": next_cursor, "refused": refused}
    return BatchDetailAnswer.model_validate({**_about(batch), **more}).model_dump(mode="json")


def _about(batch: Batch) -> dict[str, object]:
    standing = batches.standing(batch)
    counts = {**standing.counts, "total": standing.total, "refused": len(standing.refused)}
    return {
        "batch_id": batch.id,
        "user_id": batch.owner,
        "url": batch.url,
        "title": batch.title,
        "status": standing.state,
        "limit": batch.most,
        "since": batch.since,
        "created_at": batch.created_at,
        "counts": counts,
        "progress": standing.progress,
        "error": statuses.failure(batch.error_code, batch.error_text),
        "links": batch_links(batch.id),
    }
