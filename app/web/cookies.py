"""Cookies of browsers that have signed in, and the proof that a form is one of our own pages'."""

import hashlib
import secrets
from hmac import compare_digest

from flask import Response, g, request

from app import config
from app.refusals import FormExpired
from app.services import sessions
from app.services.keys import Caller

SESSION = "ytrag_session"
SEED = "ytrag_form"
"""What the forms of a browser are signed with that has no session."""

SAFE = ("GET", "HEAD")
PAGES, DASHBOARD = "pages", "dashboard"
"""The blueprints whose forms carry the proof; elsewhere a session may only look."""


def session_caller() -> Caller | None:
    """Who is signed in, where a session is enough for this request."""
    token = request.cookies.get(SESSION, "")
    if not token or (request.method not in SAFE and request.blueprint not in (PAGES, DASHBOARD)):
        return None
    return sessions.caller(token)


def form_token() -> str:
    """What each form of this browser has to carry."""
    seed = request.cookies.get(SESSION) or request.cookies.get(SEED) or g.get("form_seed")
    if not seed:
        seed = g.form_seed = secrets.token_urlsafe(32)
    return _token(seed)


def check_form() -> None:
    """InvalidInput unless the form is from one of our pages in this browser."""
    seed = request.cookies.get(SESSION) or request.cookies.get(SEED) or ""
    ours = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    if not (
        seed and ours and compare_digest(request.form.get("form_token", "").encode(), _token(seed).encode())
    ):
        raise FormExpired("This form is not from a page that is open in this browser.")


def keep_seed(response: Response) -> None:
    """Give the browser what the forms of this answer were signed with."""
    if "form_seed" in g:
        set_cookie(response, SEED, g.form_seed, secure=request.is_secure or not config.current().is_open())


def set_cookie(response: Response, name: str, value: str, *, secure: bool) -> None:
    """A cookie for this site's own requests only, out of reach of scripts, until the browser is closed."""
    response.set_cookie(name, value, secure=secure, httponly=True, samesite="Strict", path="/")


def _token(seed: str) -> str:
    return hashlib.sha256(f"form:{seed}".encode()).hexdigest()
