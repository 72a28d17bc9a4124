"""The page of one job: where it stands, and what can be done about it."""

from flask import render_template, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.models.jobs import ACTIVE
from app.services import jobs, retries, statuses
from app.web.auth import caller
from app.web.pages.blueprint import blueprint


@blueprint.get("/jobs/<job_id>")
def show_job(job_id: str) -> str:
    """The job, stage by stage."""
    return render_template("job.html", **_job(job_id))


@blueprint.get("/jobs/<job_id>/live")
def live_job(job_id: str) -> str:
    """What changes about it alone, to be put in the place of what was."""
    return render_template("_job.html", **_job(job_id))


@blueprint.post("/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> Response:
    """Stop it."""
    jobs.cancel(job_id, caller().sees)
    return redirect(url_for("pages.show_job", job_id=job_id), 303)


@blueprint.post("/jobs/<job_id>/retry")
def retry_job(job_id: str) -> Response:
    """Do it again."""
    retries.retry(job_id, caller().sees, None)
    return redirect(url_for("pages.show_job", job_id=job_id), 303)


def _job(job_id: str) -> dict[str, object]:
    job = statuses.of(job_id, caller().sees)
    return {"job": job, "active": job.status in ACTIVE}
