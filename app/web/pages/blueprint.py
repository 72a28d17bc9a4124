"""What the pages share: who may see them, what a browser may load for them, and errors as a page."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app import config
from app.errors import Unauthorized, YtragError
from app.web import cookies, errors
from app.web.pages import filters

blueprint = Blueprint(
    cookies.PAGES, __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
)
blueprint.before_request(lambda: cookies.check_form() if request.method not in cookies.SAFE else None)
for name, function in filters.FILTERS.items():
    blueprint.add_app_template_filter(function, name)

EMBEDS = "https://www.youtube-nocookie.com"
POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    f"frame-src {EMBEDS}"
)


@blueprint.context_processor
def shared() -> dict[str, Any]:
    """What every template may use."""
    open_to_all = config.current().is_open()
    return {
        "form_token": cookies.form_token,
        "is_admin": "caller" in g and g.caller.role == "admin",
        "signed_in": None if open_to_all else g.get("caller"),
        "query": request.args.get("q", ""),
    }


@blueprint.after_request
def restrict(response: Response) -> Response:
    """Let the browser load nothing but our own files, the embedded player, and media that the page names."""
    media = g.get("media_origin")
    policy = f"{POLICY}; media-src 'self' {media}" if media else POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
        cookies.keep_seed(response)
    return response


@blueprint.app_errorhandler(404)
@blueprint.errorhandler(HTTPException)
def show_http(error: HTTPException) -> AnyResponse:
    """What the web server itself refuses."""
    if not _for_reading() or request.path.startswith("/api/"):
        return errors.answer_http(error)
    return _shown(error.code or 500, error.name, error.description or "", "")


@blueprint.errorhandler(YtragError)
def show(error: YtragError) -> AnyResponse:
    """What we refuse: as a page for people, as a problem for programs."""
    problem = errors.answer(error)
    if not _for_reading():
        return problem
    if isinstance(error, Unauthorized) and request.method in cookies.SAFE:
        return redirect(f"{url_for('pages.sign_in')}?{urlencode({'next': request.full_path.rstrip('?')})}")
    return _shown(problem.status_code, error.detail, "", error.hint)


@blueprint.errorhandler(ValidationError)
def show_invalid(error: ValidationError) -> AnyResponse:
    """A field that is not what it may be."""
    return _shown(422, errors.sentence(error), "", "Go back and correct it.")


def local(path: str) -> str:
    """The path, if it is one of our own pages; else the first page."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and not parts.netloc
    return path if ours else url_for("pages.home")


def _for_reading() -> bool:
    return "text/html" in request.accept_mimetypes.values()


def _shown(status: int, title: str, detail: str, hint: str) -> Response:
    page = render_template("error.html", status=status, title=title, detail=detail, hint=hint)
    return Response(page, status=status, mimetype="text/html")
