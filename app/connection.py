"""Speaks HTTP with a youtube-rag server, and turns what it refuses into errors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from app.errors import YtragError

DEFAULT_SERVER = "http://127.0.0.1:8000"
TIMEOUT_S = 120.0
"""A first search may have to load a model."""

A = TypeVar("A", bound=BaseModel)


class ServerUnreachable(YtragError):
    """Nobody answers at the server's address."""

    code = "server_unreachable"
    hint = "Start the server with 'ytrag up', or name another one in YTRAG_SERVER."
    retryable = True


class RequestRefused(YtragError):
    """The server answered with a problem; code, detail and hint are the server's."""

    def __init__(self, status: int, code: str, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.hint = status, code, hint  # type: ignore[misc]  # this one's own


class Connection:
    """A connection to one server; every method raises ServerUnreachable or RequestRefused."""

    def __init__(self, server: str | None = None, key: str | None = None) -> None:
        self.server = (server or os.environ.get("YTRAG_SERVER") or DEFAULT_SERVER).rstrip("/")
        key = key or os.environ.get("YTRAG_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self.http = httpx.Client(base_url=self.server, headers=headers, timeout=TIMEOUT_S)
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise ServerUnreachable(f"YTRAG_SERVER or YTRAG_API_KEY is no such thing: {error}.") from error

    def ask(self, kind: type[A], method: str, path: str, **how: Any) -> A:
        """The answer as a value of this kind."""
        return kind.model_validate_json(self.send(method, path, **how).content)

    def send(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The answer, if it is none of refusal; what is None in params or json is left out."""
        for part in ("params", "json"):
            if part in how:
                how[part] = {name: value for name, value in how[part].items() if value is not None}
        try:
            response = self.http.request(method, path, **how)
        except (httpx.TransportError, httpx.UnsupportedProtocol) as error:
            raise ServerUnreachable(f"No answer from {self.server}: {error}.") from error
        if response.is_error:
            raise refusal(response)
        return response

    @contextmanager
    def stream(
        self, path: str, last_event_id: str | None, *, silence_s: float
    ) -> Iterator[Iterator[str] | None]:
        """The lines of a stream of events; None: there are no more. httpx.TransportError where it breaks."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        timeout = httpx.Timeout(TIMEOUT_S, read=silence_s)
        with self.http.stream("GET", path, headers=headers, timeout=timeout) as response:
            if response.is_error:
                response.read()
                raise refusal(response)
            yield None if response.status_code == httpx.codes.NO_CONTENT else response.iter_lines()


def refusal(response: httpx.Response) -> RequestRefused:
    """The error that the answer stands for; its body must have been read."""
    try:
        problem = response.json()
        return RequestRefused(response.status_code, problem["code"], problem["detail"], problem["hint"])
    except (ValueError, KeyError, TypeError):
        text = f"The server answered {response.status_code} {response.reason_phrase}."
        return RequestRefused(response.status_code, "unknown", text, "Is this a youtube-rag server?")
