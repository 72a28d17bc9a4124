"""A web server on loopback that serves a folder, well or badly, as the first step of the path says.

/talk.mp4 whole or by range; /slow/talk.mp4 a little at a time, by range too; /cut/talk.mp4 closes half-way;
/chunked/talk.mp4 without a length; /empty/talk.mp4 without a byte; /redirect/talk.mp4 to /talk.mp4;
/loop/ to itself; /status/503 as said; /hang/ says nothing until the server stops;
/away/HOST:PORT/talk.mp4 to that server;
/once/NAME/talk.mp4 is refused with 503 at the first time; /endless/ is a page without an end;
/bomb/ a small gzip that is 200 MB of page.
"""

import gzip
import mimetypes
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

SLOW_BYTES, SLOW_EVERY_S = 8192, 0.1


class WebServer(ThreadingHTTPServer):
    """Serves while its `with` block lasts, as a proxy too: of an address it looks at the path only.

    `requests` lists the paths asked for, `cookies` and `ranges` what came with each, `broken` the paths hung
    up on; `most_at_once` is how many different paths were being answered at one moment.
    """

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0, *, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), _Answer)
        self.folder = folder.resolve()
        self.requests: list[str] = []
        self.cookies: list[str | None] = []
        self.ranges: list[str | None] = []
        self.broken: list[str] = []
        self.most_at_once = 0
        self._answering: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    @contextmanager
    def answering(self, path: str) -> Iterator[None]:
        """Count the path as one that is being answered."""
        with self._lock:
            self._answering[path] += 1
            self.most_at_once = max(self.most_at_once, len(+self._answering))
        try:
            yield
        finally:
            with self._lock:
                self._answering[path] -= 1

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.requests.append(path)
        self.server.cookies.append(self.headers["Cookie"])
        self.server.ranges.append(self.headers["Range"])
        way, _, name = path.strip("/").partition("/")
        answer = getattr(self, f"answer_{way}", None)
        try:
            with self.server.answering(path):
                answer(name) if answer else self.answer_well(path.strip("/"))
        except ConnectionError:
            self.server.broken.append(path)

    do_HEAD = do_GET  # noqa: N815  # the library's name

    def answer_well(self, name: str, pause_s: float = 0) -> None:
        body = self._body(name)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if body is None or not asked or int(asked[1]) >= len(body):
            self._send(name, body, pause_s)
            return
        start, end = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
        self._head(206, name, end - start + 1, {"Content-Range": f"bytes {start}-{end}/{len(body)}"})
        self._write(body[start : end + 1], pause_s)

    def answer_slow(self, name: str) -> None:
        self.answer_well(name, SLOW_EVERY_S)

    def answer_cut(self, name: str) -> None:
        body = self._body(name) or b""
        self._head(200, name, len(body))
        self._write(body[: len(body) // 2])

    def answer_chunked(self, name: str) -> None:
        self._head(200, name, None)
        self._write(self._body(name) or b"")

    def answer_once(self, name: str) -> None:
        first = self.server.requests.count(urlsplit(self.path).path) == 1
        self.send_error(503) if first else self.answer_well(name.partition("/")[2])

    def answer_empty(self, name: str) -> None:
        self._send(name, b"")

    def answer_redirect(self, name: str) -> None:
        self._head(302, name, 0, {"Location": f"/{name}"})

    def answer_loop(self, name: str) -> None:
        self._head(302, name, 0, {"Location": f"/loop/{name}"})

    def answer_away(self, target: str) -> None:
        self._head(302, target, 0, {"Location": f"http://{target}"})

    def answer_endless(self, name: str) -> None:
        self._head(200, name, None)
        while not self.server.stopping.is_set():
            self.wfile.write(b"<p>and so on" * 8192)

    def answer_bomb(self, name: str) -> None:
        body = gzip.compress(bytes(200 * 1024**2), 1)
        self._head(200, name, len(body), {"Content-Encoding": "gzip"})
        self._write(body)

    def answer_status(self, code: str) -> None:
        self.send_error(int(code))

    def answer_hang(self, _name: str) -> None:
        self.server.stopping.wait()

    def _body(self, name: str) -> bytes | None:
        path = (self.server.folder / (name or "index.html")).resolve()
        inside = path.is_relative_to(self.server.folder) and path.is_file()
        return path.read_bytes() if inside else None

    def _send(self, name: str, body: bytes | None, pause_s: float = 0) -> None:
        if body is None:
            self.send_error(404)
            return
        self._head(200, name, len(body))
        self._write(body, pause_s)

    def _head(self, code: int, name: str, length: int | None, more: dict[str, str] | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", mimetypes.guess_type(name or "index.html")[0] or "text/html")
        self.send_header("Accept-Ranges", "bytes")
        if length is not None:
            self.send_header("Content-Length", str(length))
        for header, value in (more or {}).items():
            self.send_header(header, value)
        self.end_headers()

    def _write(self, body: bytes, pause_s: float = 0) -> None:
        if self.command == "HEAD":
            return
        step = SLOW_BYTES if pause_s else 65536
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            if pause_s and self.server.stopping.wait(pause_s):
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Keep quiet: tests print what matters."""
