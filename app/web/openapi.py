"""The OpenAPI document, as flask-openapi makes it of the views, completed by what all of them share."""

from http import HTTPStatus
from typing import Any

from flask_openapi import OpenAPI

from app.refusals import RateLimited
from app.schemas import ProblemAnswer
from app.web.errors import CODES, problem

Json = dict[str, Any]

REFUSALS = (400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 507)
"""What an operation may answer beside its own, where it can."""

PUBLIC = ("/healthz", "/health", "/readyz")
TAKE_IN = tuple(("post", f"/api/{path}") for path in ("videos/process", "videos/upload", "batches"))
TEXTS = {"text/plain": "txt", "application/x-subrip": "srt", "text/vtt": "vtt"}
EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "description": "For Last-Event-ID."},
        "event": {"type": "string", "examples": ["stage", "progress", "completed", "failed", "cancelled"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
STREAM = {"text/event-stream": {"schema": {"type": "array", "items": EVENT}}}
PROBLEM = {"$ref": f"#/components/schemas/{ProblemAnswer.__name__}"}
COUNT = {"type": "integer", "minimum": 0}


def header(about: str, schema: Json) -> Json:
    """A header of an answer."""
    return {"description": about, "schema": schema}


ALLOWANCE = {
    "RateLimit-Limit": header(
        "Requests a minute that the key may make; not sent where there is no limit.", COUNT
    ),
    "RateLimit-Remaining": header("How many are left of this minute.", COUNT),
    "RateLimit-Reset": header("Seconds until the next minute begins.", COUNT),
}
RETRY_AFTER = {"Retry-After": header("Seconds to wait before the same request.", COUNT)}
LOCATION = {"Location": header("Where to go on.", {"type": "string", "format": "uri"})}


def parameter(name: str, about: str, example: str, **schema: object) -> Json:
    """A header that a request may have."""
    kind = {"type": "string", **schema}
    return {"name": name, "in": "header", "description": about, "schema": kind, "example": example}


IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    "Makes sending it again harmless: the same key answers with the same job.",
    "7d4c0f0e",
    minLength=1,
    maxLength=255,
    pattern="^[!-~]+$",
)
LAST_EVENT_ID = parameter(
    "Last-Event-ID",
    "id of the last event that was seen; the stream goes on behind it.",
    "01K9ZQ6J3V8Y5T2R7N4M1C0XBD:12",
    pattern="^[0-9A-Z]{26}:[0-9]{1,9}$",
)
PARAMETERS = {
    ("/api/videos/process", "post"): IDEMPOTENCY_KEY,
    ("/api/videos/upload", "post"): IDEMPOTENCY_KEY,
    ("/api/jobs/{job_id}/events", "get"): LAST_EVENT_ID,
    ("/api/events", "get"): LAST_EVENT_ID,
}


class Api(OpenAPI):
    """An application that describes itself whole."""

    def generate_spec_json(self) -> None:
        """Make the document."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]  # flask-openapi leaves it untyped
        for path, operations in self.spec_json["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation)


def _complete(path: str, method: str, operation: Json) -> None:
    if path not in PUBLIC:
        operation["security"] = [{"key": []}]
    if named := PARAMETERS.get((path, method)):
        operation.setdefault("parameters", []).append(named)
    responses = operation["responses"]
    responses |= {
        str(status): {"description": HTTPStatus(status).phrase}
        for status in REFUSALS
        if _can_answer(path, method, operation, status)
    }
    for status, response in responses.items():
        _complete_response(path, int(status), response)
    if path.endswith("/events"):
        responses["200"]["content"] = STREAM
    if path.endswith("/transcript"):
        responses["200"]["content"] |= {kind: {"schema": {"type": "string"}} for kind in TEXTS}


def _can_answer(path: str, method: str, operation: Json, status: int) -> bool:
    """Whether the operation can end with this status, of those that all operations are given."""
    if path in PUBLIC:
        return status in (200, 500, 503)
    if status in (400, 413):
        return "requestBody" in operation
    if status == 404:
        return "{" in path
    if status == 409:
        return method != "get"
    if status == 507:
        return (method, path) in TAKE_IN
    return True


def _complete_response(path: str, status: int, response: Json) -> None:
    headers: Json = {} if path in PUBLIC or status == 401 else dict(ALLOWANCE)
    if status in (201, 202):
        headers |= LOCATION
    if status in (429, 503, 507):
        headers |= RETRY_AFTER
    if headers:
        response["headers"] = headers
    if status >= 400:
        response["content"] = {"application/problem+json": {"schema": PROBLEM, "example": _example(status)}}


def _example(status: int) -> Json:
    about = RateLimited("This key may make 600 requests a minute, and has made them.")
    if status == 429:
        return problem(status, about.code, about.detail, about.hint)
    code = {401: "unauthorized", 403: "forbidden", 422: "invalid_input", 500: "internal_error"}.get(status)
    code = (
        code or {409: "conflict", 503: "database_unavailable", 507: "no_space"}.get(status) or CODES[status]
    )
    return problem(status, code, "A sentence that says what was wrong.", "What to do about it.")
