"""Schedules: adding or updating them by name, listing, enabling, running and deleting them."""

from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.models.schedules import Schedule
from app.schedule_schemas import (
    RunAnswer,
    ScheduleAnswer,
    ScheduleBody,
    ScheduleChange,
    SchedulePage,
)
from app.schemas import PRIORITIES, PRIORITY_NAMES, PageQuery
from app.services import schedules
from app.web.auth import caller
from app.web.jobs import check_cursor
from app.web.links import job_links, schedule_links

blueprint = APIBlueprint("schedules", __name__, url_prefix="/api/schedules", abp_tags=[Tag(name="schedules")])


class SchedulePath(BaseModel):
    """Which schedule."""

    schedule_id: str = Field(max_length=64)


@blueprint.post("", responses={201: ScheduleAnswer, 200: ScheduleAnswer})
@blueprint.put("", responses={201: ScheduleAnswer, 200: ScheduleAnswer})
def put(body: ScheduleBody) -> tuple[dict[str, object], int, dict[str, str]]:
    """Add a schedule (201), or update the caller's own of that name (200)."""
    wish = body.root.model_dump()
    if "priority" in wish["payload"]:
        wish["payload"]["priority"] = PRIORITIES[wish["payload"]["priority"]]
    schedule, is_new = schedules.put(caller(), **wish)
    return _answer(schedule), 201 if is_new else 200, {"Location": schedule_links(schedule.id)["self"]}


@blueprint.get("", responses={200: SchedulePage})
def list_schedules(query: PageQuery) -> dict[str, object]:
    """Schedules, newest first; admins see all, with the program's own."""
    check_cursor(query.cursor)
    found = schedules.page(caller().sees, before=query.cursor, limit=query.limit + 1)
    rows = [_answer(schedule) for schedule in found[: query.limit]]
    return {"data": rows, "next_cursor": rows[-1]["id"] if len(found) > query.limit else None}


@blueprint.get("/<schedule_id>", responses={200: ScheduleAnswer})
def show(path: SchedulePath) -> dict[str, object]:
    """One schedule."""
    return _answer(schedules.get(path.schedule_id, caller().sees))


@blueprint.patch("/<schedule_id>", responses={200: ScheduleAnswer})
def change(path: SchedulePath, body: ScheduleChange) -> dict[str, object]:
    """Enable or disable a schedule."""
    return _answer(schedules.set_enabled(path.schedule_id, caller().sees, enabled=body.enabled))


@blueprint.delete("/<schedule_id>", responses={204: None})
def delete(path: SchedulePath) -> Response:
    """Forget a schedule; the jobs that it started stay."""
    schedules.delete(path.schedule_id, caller().sees)
    return Response(status=204)


@blueprint.post("/<schedule_id>/run", responses={202: RunAnswer})
def run(path: SchedulePath) -> tuple[dict[str, object], int, dict[str, str]]:
    """Do at once what the schedule does, enabled or not."""
    started = schedules.run_now(path.schedule_id, caller().sees)
    links = job_links(started.job_id) if started.job_id else schedule_links(path.schedule_id)
    answer = RunAnswer(
        job_id=started.job_id,
        message_id=started.message_id,
        status=started.job.state.capitalize() if started.job and started.deduplicated else "Queued",
        message=started.outcome,
        deduplicated=started.deduplicated,
        links=links,
    )
    return answer.model_dump(mode="json"), 202, {"Location": links.get("status") or links["self"]}


def _answer(schedule: Schedule) -> dict[str, object]:
    payload = dict(schedule.payload)
    if "priority" in payload:
        payload["priority"] = PRIORITY_NAMES[payload["priority"]]
    shown = {"user_id": schedule.owner, "payload": payload, "links": schedule_links(schedule.id)}
    return ScheduleAnswer.model_validate({**schedule.__data__, **shown}).model_dump(mode="json")
