"""A stand-in for the model hub: what its client asks for, about one model in a folder."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

REVISION = "a" * 40


class Hub(ThreadingHTTPServer):
    """Serves the folder as the model of every name; `fetched` tells which files were asked for."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.fetched: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name = path.partition(f"/resolve/{REVISION}/")[2]
        if "/tree/" in path:
            files = [file for file in self.server.folder.rglob("*") if file.is_file()]
            self._answer(json.dumps([self._entry(file) for file in files]).encode())
        elif not name:
            self._answer(json.dumps({"id": "some/model", "sha": REVISION, "siblings": []}).encode())
        elif (self.server.folder / name).is_file():
            self.server.fetched.add(name)
            self._answer((self.server.folder / name).read_bytes())
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET  # noqa: N815  # the library's name

    def _entry(self, file: Path) -> dict[str, object]:
        name, size = str(file.relative_to(self.server.folder)), file.stat().st_size
        return {"type": "file", "path": name, "size": size, "oid": REVISION}

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def hub(folder: Path) -> Iterator[Hub]:
    """The stand-in while it runs."""
    with Hub(folder) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
