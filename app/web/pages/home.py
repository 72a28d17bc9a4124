"""The first page: a form for a video, and the jobs."""

from typing import get_args

from flask import render_template, request, url_for
from pydantic import ValidationError
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.errors import InvalidInput
from app.models.jobs import ACTIVE
from app.schemas import PRIORITIES, JobState, Mode, ProcessBody, UploadFields
from app.services import statuses
from app.services.selection import Selection
from app.values import LANGUAGES
from app.web import errors, videos
from app.web.auth import caller
from app.web.jobs import check_cursor
from app.web.pages.blueprint import blueprint

PAGE = 20


@blueprint.get("/")
def home() -> str:
    """The form and the newest jobs."""
    return _page({}, "")


@blueprint.get("/jobs/live")
def live_jobs() -> str:
    """The jobs alone, to be put in the place of older ones."""
    return render_template("_jobs.html", **_jobs())


@blueprint.post("/submit")
def submit() -> Response | tuple[str, int]:
    """Take a video in by its address or as a file, and go to its job."""
    filled = {name: value for name, value in request.form.items() if value}
    upload = request.files.get("file")
    kind = UploadFields if upload else ProcessBody
    wishes = {name: value for name, value in filled.items() if name in kind.model_fields}
    try:
        if upload:
            receipt = videos.take_file(upload, UploadFields.model_validate(wishes))
        elif "url" in wishes:
            receipt = videos.take_url(ProcessBody.model_validate(wishes))
        else:
            raise InvalidInput("Paste an address, or choose a file.")
    except InvalidInput as error:
        return _page(filled, f"{error.detail} {error.hint}"), 422
    except ValidationError as error:
        return _page(filled, errors.sentence(error)), 422
    return redirect(url_for("pages.show_job", job_id=receipt.job.id), 303)


def _page(filled: dict[str, str], problem: str) -> str:
    choices = {"modes": get_args(Mode), "priorities": list(PRIORITIES), "languages": sorted(LANGUAGES)}
    return render_template("home.html", filled=filled, problem=problem, **choices, **_jobs())


def _jobs() -> dict[str, object]:
    """The jobs that the address asks for, and where to go on."""
    state, cursor = request.args.get("status", ""), request.args.get("cursor") or None
    check_cursor(cursor)
    known = ACTIVE if state == "active" else (state,) if state in get_args(JobState) else ()
    found = statuses.page(Selection(owner=caller().sees, states=known, before=cursor), limit=PAGE + 1)
    older = found[PAGE - 1].job_id if len(found) > PAGE else None
    return {"jobs": found[:PAGE], "older": older, "state": state, "cursor": cursor}
