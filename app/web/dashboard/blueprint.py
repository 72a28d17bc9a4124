"""What all of the dashboard shares: admins only, forms of its own pages only, and what a browser may load."""

from urllib.parse import urlencode, urlsplit

import peewee as pw
from flask import Blueprint, Response, redirect, request, url_for
from playhouse.pool import MaxConnectionsExceeded
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app import config
from app.errors import DatabaseUnavailable, Unauthorized, YtragError
from app.refusals import CrossSite, ReadOnly
from app.web import auth, cookies, errors
from app.web.dashboard import patience
from app.web.dashboard.frame import render
from app.web.dashboard.links import PREFIX

blueprint = Blueprint(
    cookies.DASHBOARD, __name__, url_prefix=PREFIX, static_folder="static", static_url_path="/assets"
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@blueprint.before_request
def guard() -> None:
    """Let in admins only, and changes only from a form of a page of ours that is open in this browser."""
    auth.admin()
    if request.method in cookies.SAFE:
        if request.endpoint != f"{cookies.DASHBOARD}.static":
            patience.begin()
        return
    if not _is_from_here():
        raise CrossSite("The request does not come from a page of this dashboard.")
    cookies.check_form()
    if config.current().read_only:
        raise ReadOnly("The dashboard only shows here, and changes nothing.")


def _is_from_here() -> bool:
    """As the browser says it; one that does not say it must name our own address as the origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("Origin", ""))
    return bool(origin.netloc) and origin.netloc == request.host


@blueprint.after_request
def restrict(response: Response) -> Response:
    """Let the browser load nothing but our own files, frame nothing, and keep no page."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "DENY"
    if response.mimetype == "text/html" or response.status_code >= 300:
        response.headers["Cache-Control"] = "no-store"
        cookies.keep_seed(response)
    return response


@blueprint.errorhandler(YtragError)
def show(error: YtragError) -> AnyResponse:
    """What we refuse: as a page for people, as a problem for programs."""
    problem = errors.answer(error)
    if "text/html" not in request.accept_mimetypes.values():
        return problem
    if isinstance(error, Unauthorized) and request.method in cookies.SAFE:
        return redirect(f"{url_for('pages.sign_in')}?{urlencode({'next': request.full_path.rstrip('?')})}")
    return _page(problem.status_code, error.detail, error.hint)


@blueprint.errorhandler(HTTPException)
def show_http(error: HTTPException) -> AnyResponse:
    """What the web server itself refuses."""
    if "text/html" not in request.accept_mimetypes.values():
        return errors.answer_http(error)
    return _page(error.code or 500, error.name, error.description or "")


@blueprint.teardown_request
def give_back(_error: BaseException | None) -> None:
    """Leave the connection to others as it was."""
    patience.end()


@blueprint.errorhandler(pw.OperationalError)
@blueprint.errorhandler(pw.InterfaceError)
@blueprint.errorhandler(MaxConnectionsExceeded)
def show_database(_error: Exception) -> AnyResponse:
    """The database is away."""
    return show(DatabaseUnavailable("The database does not answer."))


def _page(status: int, said: str, hint: str) -> Response:
    page = render("error.html", status=status, said=said, hint=hint)
    return Response(page, status=status, mimetype="text/html")
