"""Lists of jobs by state with search, what is done to one or many of them, and all that is known of one."""

from contextlib import suppress
from typing import Any, get_args

from flask import abort, redirect, request
from werkzeug.wrappers import Response

from app.errors import Conflict, InvalidInput
from app.models.jobs import ACTIVE
from app.schemas import PRIORITIES, PRIORITY_NAMES, Priority
from app.services import audit, dossiers, job_lines, mass, repairs, retries
from app.services.selection import Selection
from app.stages import NAMES, STAGES
from app.web.auth import caller
from app.web.dashboard.blueprint import blueprint
from app.web.dashboard.frame import LISTS, render
from app.web.dashboard.links import link
from app.web.dashboard.patience import reading
from app.web.jobs import check_cursor

PAGE = 50
FILTERS = ("q", "priority", "error_code", "owner")
CAN = {
    "enqueued": ("delete",),
    "processing": ("delete",),
    "scheduled": ("delete",),
    "retries": ("delete",),
    "succeeded": (),
    "failed": ("requeue", "delete"),
    "deleted": ("requeue",),
}
"""What may be done to many of a list at once."""


@blueprint.get("/jobs/<name>")
def list_jobs(name: str) -> str:
    """A page of the jobs in a state."""
    cursor = request.args.get("cursor") or None
    check_cursor(cursor)
    asked = _filters(request.args)
    wanted = _selection(name, asked, cursor)
    read = job_lines.retrying if name == "retries" else job_lines.page
    found = reading(lambda: read(wanted, limit=PAGE + 1), instead=list[job_lines.Line]())
    older = link("jobs", name, **asked, cursor=found[PAGE - 1].id) if len(found) > PAGE else None
    newest = link("jobs", name, **asked) if cursor else None
    return render(
        "jobs.html",
        name=name,
        lines=found[:PAGE],
        asked=asked,
        actions=CAN[name],
        priorities=get_args(Priority),
        priority_names=PRIORITY_NAMES,
        older=older,
        newest=newest,
        said=_said(),
    )


@blueprint.post("/jobs/<name>")
def change_jobs(name: str) -> Response:
    """Requeue or delete the job whose button was pressed, those ticked, or all that the filter finds."""
    asked = _filters(request.form)
    wanted = _selection(name, asked, None)
    one, _, job_id = request.form.get("one", "").partition(":")
    action = one or request.form.get("action", "")
    if action not in CAN[name]:
        raise InvalidInput(
            f"action is {action!r}; of this list it may be {' or '.join(CAN[name]) or 'none'}."
        )
    if not one and request.form.get("scope") == "all":
        about = ", ".join([f"state {name}", *(f"{key} {value}" for key, value in asked.items())])
        mass.begin(caller(), action, wanted, about)
        return redirect(link("audit"), 303)
    ids = [job_id] if one else request.form.getlist("job")[:PAGE]
    if not ids:
        raise InvalidInput("No job is ticked.")
    entry = mass.apply(caller(), action, ids)
    return redirect(link("jobs", name, **asked, entry=entry), 303)


@blueprint.get("/job/<job_id>")
def show_whole_job(job_id: str) -> str:
    """The job with its stages, chunks, events and messages."""
    found = dossiers.of(job_id)
    weights = {stage.name: stage.weight for stage in STAGES}
    bar, left = [], 0.0
    total = sum(weights.get(row.name, 1) for row in found.stages)  # an old job may have had other stages
    for row in found.stages:
        width = 100 * weights.get(row.name, 1) / total
        bar.append((row.name, row, left, width))
        left += width
    return render(
        "whole_job.html", found=found, job=found.job, bar=bar, active=found.job.status in ACTIVE,
        stages=NAMES, priority_names=PRIORITY_NAMES, said=_said(),
    )  # fmt: skip


@blueprint.post("/job/<job_id>/requeue")
def requeue_job(job_id: str) -> Response:
    """Have it done again, from a stage if one is chosen; a second click finds it at work."""
    first = request.form.get("from_stage") or None
    if first and first not in NAMES:
        raise InvalidInput(f"from_stage is {first!r}; it may be one of {', '.join(NAMES)}.")
    with suppress(Conflict):
        audit.doing(caller(), "requeue", f"job {job_id}", lambda: retries.retry(job_id, None, first))
    return _back(job_id)


@blueprint.post("/job/<job_id>/delete")
def delete_job(job_id: str) -> Response:
    """Cancel it, or put it with the deleted."""
    audit.doing(caller(), "delete", f"job {job_id}", lambda: repairs.delete_job(job_id))
    return _back(job_id)


def _back(job_id: str) -> Response:
    """To the job, with what the audit log says of what was just done to it."""
    entry = audit.newest(f"job {job_id}")
    return redirect(link("job", job_id, entry=entry), 303)


def _said() -> str:
    """How the last action went: by the audit log, for anybody may have written the address."""
    entry = request.args.get("entry", "")
    found = (
        reading(lambda: audit.find(int(entry)), instead=None)
        if entry.isdecimal() and len(entry) < 16
        else None
    )
    return f"{found.action}: {found.outcome}" if found else ""


def _filters(given: Any) -> dict[str, str]:
    asked = {name: given[name].strip() for name in FILTERS if given.get(name, "").strip()}
    if asked.get("priority", "default") not in PRIORITIES:
        raise InvalidInput(f"priority is {asked['priority']!r}; it may be one of {', '.join(PRIORITIES)}.")
    for name, value in asked.items():
        if len(value) > 200:
            raise InvalidInput(f"{name} may have at most 200 characters.")
    return asked


def _selection(name: str, asked: dict[str, str], before: str | None) -> Selection:
    if name not in LISTS:
        abort(404, "There is no such list.")
    return Selection(
        owner=asked.get("owner"),
        states=() if name == "retries" else LISTS[name],
        priority=PRIORITIES[asked["priority"]] if "priority" in asked else None,
        error_code=asked.get("error_code"),
        q=asked.get("q"),
        before=before,
    )
