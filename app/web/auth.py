"""Who asks: settled once, before anything else of a request."""

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from app.config import LOOPBACK, Config
from app.errors import Forbidden, InvalidSetting, Unauthorized
from app.refusals import CrossSite
from app.services import accounts, keys
from app.services.keys import Caller
from app.web.cookies import session_caller

PUBLIC = (
    *("/healthz", "/health", "/readyz", "/api/openapi.json", "/api/docs", "/api/swagger"),
    *("/sign-in", "/assets"),
)
"""Paths, with what lies below them, that say nothing of anybody's."""


def register(app: Flask, config: Config) -> None:
    """Ask for a key everywhere but on PUBLIC paths; in development on loopback ask for none."""

    @app.before_request
    def authenticate() -> None:
        if config.is_open():
            _refuse_strangers(config)
            g.caller = keys.LOCAL
        elif not any(request.path == path or request.path.startswith(path + "/") for path in PUBLIC):
            g.caller = _caller()

    app.after_request(_tell_allowance)


def require_keys(config: Config) -> None:
    """Refuse to start closed while nobody could come in."""
    if not config.is_open() and not (accounts.every() or any(not key.revoked_at for key in keys.every())):
        raise InvalidSetting(
            f"YTRAG_HOST is {config.host!r} and YTRAG_ENV {config.env!r}, which asks every caller for a key, "
            "and there is none; make one with 'ytrag keys create NAME --role admin', or bind to 127.0.0.1 "
            "in development."
        )


def caller() -> Caller:
    """Who asks."""
    found: Caller = g.caller
    return found


def admin() -> Caller:
    """Who asks, if an admin does; Forbidden otherwise."""
    found = caller()
    if found.role != "admin":
        raise Forbidden("This is for admins.")
    return found


def _caller() -> Caller:
    if "Authorization" not in request.headers and (signed_in := session_caller()):
        return signed_in
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthorized("This server asks for a key.")
    return keys.caller(key.strip())


def _refuse_strangers(config: Config) -> None:
    """Without keys, keep out web pages of others: their names that lead here, and their requests."""
    named = urlsplit(f"//{request.host}").hostname
    if named not in (*LOOPBACK, urlsplit(config.address()).hostname):
        raise CrossSite(f"This server does not answer to the name {named!r}.")
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method not in ("GET", "HEAD"):
        raise CrossSite("The request comes from the page of another site.")


def _tell_allowance(response: Response) -> Response:
    allowance = g.caller.allowance if "caller" in g else None
    if allowance:
        response.headers["RateLimit-Limit"] = str(allowance.limit)
        response.headers["RateLimit-Remaining"] = str(allowance.remaining)
        response.headers["RateLimit-Reset"] = str(allowance.resets_in_s)
    return response
