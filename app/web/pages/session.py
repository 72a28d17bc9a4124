"""Signing in with an API key, and out."""

from flask import make_response, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import config
from app.errors import Unauthorized
from app.services import sessions
from app.web import cookies
from app.web.pages.blueprint import blueprint, local


@blueprint.get("/sign-in")
def sign_in() -> str | Response:
    """The form; nobody needs it where no key is asked for."""
    if config.current().is_open():
        return redirect(url_for("pages.home"))
    return _form("")


@blueprint.post("/sign-in")
def start_session() -> Response | tuple[str, int]:
    """Open a session for whoever has a key."""
    try:
        token = sessions.start(request.form.get("key", "").strip())
    except Unauthorized as error:
        return _form(error.detail), 401
    response = make_response(redirect(local(request.form.get("next", "/")), 303))
    cookies.set_cookie(response, cookies.SESSION, token, secure=True)
    response.delete_cookie(cookies.SEED)
    return response


@blueprint.post("/sign-out")
def end_session() -> Response:
    """Close it."""
    sessions.end(request.cookies.get(cookies.SESSION, ""))
    response = make_response(redirect(url_for("pages.sign_in"), 303))
    response.delete_cookie(cookies.SESSION)
    return response


def _form(problem: str) -> str:
    return render_template("sign_in.html", problem=problem, next=local(request.values.get("next", "/")))
