"""Signing in with an API key or as an admin with a password, and out."""

from flask import make_response, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app import config
from app.errors import Unauthorized
from app.refusals import TooManyTries
from app.services import accounts, audit, sessions
from app.services.keys import Caller
from app.web import cookies, errors
from app.web.pages.blueprint import blueprint, local


@blueprint.get("/sign-in")
def sign_in() -> str | Response:
    """The form; nobody needs it where no key is asked for."""
    if config.current().is_open():
        return redirect(url_for("pages.home"))
    return _form("")


@blueprint.post("/sign-in")
def start_session() -> Response | tuple[str, int]:
    """Open a session for whoever has a key or a password."""
    try:
        token = _started()
    except (Unauthorized, TooManyTries) as error:
        return _form(f"{error.detail} {error.hint}"), errors.status_of(type(error))
    response = make_response(redirect(local(request.form.get("next", "/")), 303))
    cookies.set_cookie(response, cookies.SESSION, token, secure=True)
    response.delete_cookie(cookies.SEED)
    return response


def _started() -> str:
    """The token of a session for who has a key, or is an admin with a password; that one may try so often."""
    name, address = request.form.get("name", "").strip(), request.remote_addr or ""
    if not name:
        return sessions.start(request.form.get("key", "").strip())
    accounts.spend_try(address, name)
    admin = Caller(name[:64], "admin")
    try:
        token = sessions.start_with_password(name, request.form.get("password", ""))
    except Unauthorized:
        audit.note(admin, "sign in", f"from {address}", "refused")
        raise
    accounts.forget_tries(address, name)
    audit.note(admin, "sign in", f"from {address}", "done")
    return token


@blueprint.post("/sign-out")
def end_session() -> Response:
    """Close it."""
    sessions.end(request.cookies.get(cookies.SESSION, ""))
    response = make_response(redirect(url_for("pages.sign_in"), 303))
    response.delete_cookie(cookies.SESSION)
    return response


def _form(problem: str) -> str:
    shown = {"problem": problem, "next": local(request.values.get("next", "/"))}
    return render_template("sign_in.html", by_password="name" in request.values, **shown)
