"""The stock pages, and requeueing and deleting the messages that they list."""

from flask import Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Conflict, InvalidInput
from app.services import audit, repairs
from app.stages import POOLS
from app.web.auth import caller
from app.web.dashboard import cursors
from app.web.dashboard.blueprint import blueprint
from app.web.dashboard.frame import dashboard
from app.web.dashboard.links import link


@blueprint.get("")
def enter() -> AnyResponse:
    """The address that people remember."""
    return _to("")


@blueprint.get("/", defaults={"path": ""})
@blueprint.get("/<path:path>")
def show_stock(path: str) -> Response:
    """A page of dramatiq-dashboard, without its cookie: our forms carry a proof of their own."""
    _check(path)
    environ = {**request.environ, "PATH_INFO": f"/{path}", "HTTP_COOKIE": ""}
    answer = Response.from_app(dashboard(), environ, buffered=True)
    del answer.headers["Set-Cookie"]
    return Response(answer.response, answer.status, answer.headers)


@blueprint.get("/assets/stock.css")
def stock_style() -> Response:
    """The stock pages' style as a file, so that no page needs a style of its own."""
    return Response(dashboard().style, mimetype="text/css", headers={"Cache-Control": "max-age=3600"})


@blueprint.post("/requeue-message")
def requeue_message() -> AnyResponse:
    """Have a failed message's work done again; a second click finds it done."""
    queue, message_id = _field("queue"), _field("id")
    try:
        new = audit.doing(caller(), "requeue", f"message {message_id}", lambda: repairs.requeue(message_id))
    except Conflict:
        new = message_id
    return _to("queues", queue.partition(".")[0], "standard", new)


@blueprint.post("/delete-message")
def delete_message() -> AnyResponse:
    """Have a message's work given up."""
    queue, message_id = _field("queue"), _field("id")
    audit.doing(caller(), "delete", f"message {message_id}", lambda: repairs.delete_message(message_id))
    return _to("queues", queue.partition(".")[0], "failed" if queue.endswith(".XQ") else "standard")


def _to(*path: str) -> AnyResponse:
    return redirect(link(*path), 303)


def _field(name: str) -> str:
    value = request.form.get(name, "")
    if not value or len(value) > 64:
        raise InvalidInput(f"{name} is missing, or is none.")
    return value


def _check(path: str) -> None:
    """InvalidInput or 404 for what the stock application would fail at."""
    parts = path.rstrip("/").split("/")
    if parts[0] == "queues" and (len(parts) < 2 or parts[1] not in POOLS):
        abort(404, "There is no such queue.")
    try:
        cursors.read(int(request.args.get("cursor", "0")))
    except ValueError:
        raise InvalidInput("cursor is none of this list; begin with its first page.") from None
