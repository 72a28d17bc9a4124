"""How many requests are worked on at once, whatever the number of threads that wait with listeners."""

import threading
from collections.abc import Iterable
from typing import Any

from app.config import HTTP_THREADS


class Places:
    """Lets so many requests in at once, others in the order in which they came; listeners need no place."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.free = threading.Semaphore(HTTP_THREADS)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"].endswith("/events"):
            return self._answer(environ, start_response)
        with self.free:
            return self._answer(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer
