"""Every error as RFC 9457 problem details: the one place where errors meet HTTP codes."""

import logging

import peewee as pw
from flask import Flask, Response, jsonify
from playhouse.pool import MaxConnectionsExceeded
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from app import errors, refusals
from app.errors import InvalidInput, YtragError

log = logging.getLogger(__name__)

STATUS: dict[type[YtragError], int] = {
    errors.InvalidUrl: 422,
    errors.SourceNotAllowed: 422,
    errors.EmptyUpload: 422,
    errors.IdempotencyConflict: 422,
    errors.PayloadTooLarge: 413,
    errors.InvalidInput: 422,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    refusals.CrossSite: 403,
    refusals.RateLimited: 429,
    refusals.TooManyTries: 429,
    refusals.TooManyListeners: 503,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.DatabaseUnavailable: 503,
    errors.ManagementUnavailable: 503,
    errors.SearchUnavailable: 503,
    errors.IndexUnreachable: 503,
    errors.ModelUnavailable: 503,
    errors.OutOfSpace: 507,
}
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}


def register(app: Flask) -> None:
    """Answer every error of this application as a problem."""
    app.register_error_handler(YtragError, answer)
    app.register_error_handler(HTTPException, answer_http)
    for kind in (pw.OperationalError, pw.InterfaceError, MaxConnectionsExceeded):
        app.register_error_handler(kind, _answer_database)
    app.register_error_handler(Exception, _answer_unknown)


def status_of(kind: type[YtragError]) -> int:
    """The HTTP status of an error."""
    return next((STATUS[known] for known in kind.__mro__ if known in STATUS), 500)


def answer(error: YtragError) -> Response:
    """The problem that stands for one of our own errors."""
    response = _problem(status_of(type(error)), error.code, error.detail, error.hint)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def answer_invalid(error: ValidationError) -> Response:
    """The problem that names the first field that is wrong and why."""
    return answer(InvalidInput(sentence(error)))


def sentence(error: ValidationError) -> str:
    """Which field is wrong first, and why."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    more = error.error_count() - 1
    also = f" ({more} more like this)" if more else ""
    return f"{where}: {first['msg']}{also}."


def answer_http(error: HTTPException) -> Response:
    """The problem that stands for what the web server itself refuses."""
    status = error.code or 500
    code = CODES.get(status, "http_error")
    response = _problem(status, code, error.description or "", "See /api/docs for what this server answers.")
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _answer_database(error: Exception) -> Response:
    log.error("database unavailable", extra={"error": str(error)})
    return answer(errors.DatabaseUnavailable("The database does not answer."))


def _answer_unknown(error: Exception) -> Response:
    log.error("request failed", exc_info=error)
    return _problem(500, YtragError.code, "The server could not answer this.", YtragError.hint)


def problem(status: int, code: str, detail: str, hint: str) -> dict[str, str | int]:
    """The body of a problem."""
    title = HTTP_STATUS_CODES.get(status, "Error")
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "hint": hint,
    }


def _problem(status: int, code: str, detail: str, hint: str) -> Response:
    response = jsonify(problem(status, code, detail, hint))
    response.status_code = status
    response.content_type = "application/problem+json"
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
