"""Events as they happen, by server-sent events."""

from flask import Response, request
from flask_openapi import APIBlueprint, Tag

from app.services import jobs, streams
from app.services.streams import Stream
from app.web.auth import caller
from app.web.jobs import JobPath

blueprint = APIBlueprint("events", __name__, url_prefix="/api", abp_tags=[Tag(name="events")])

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Proxies are to pass each event on at once."""


@blueprint.get("/jobs/<job_id>/events", responses={200: {"content": {}}, 204: None})
def follow_job(path: JobPath) -> Response:
    """All that happens to a job, from beginning to end: stage, progress, completed, failed, cancelled.

    Last-Event-ID goes on behind an event; 204 says that there is nothing behind it any more.
    """
    job = jobs.get(path.job_id, caller().sees)
    if request.method == "HEAD":
        return _answer(())
    stream = streams.of_job(job, request.headers.get("Last-Event-ID"))
    return Response(status=204) if stream is None else _answer(stream)


@blueprint.get("/events", responses={200: {"content": {}}})
def follow_all() -> Response:
    """What happens to all of one's jobs; with Last-Event-ID also what was missed since."""
    if request.method == "HEAD":
        return _answer(())
    return _answer(streams.of_owner(caller().sees, request.headers.get("Last-Event-ID")))


def _answer(stream: Stream | tuple[str, ...]) -> Response:
    return Response(stream, headers=HEADERS, content_type="text/event-stream; charset=utf-8")
