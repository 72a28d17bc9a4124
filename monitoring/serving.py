"""The metrics port: /metrics for Prometheus, /healthz and /readyz for what keeps the process alive."""

import json
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app

from monitoring.health import Checks, answer


def serve(
    port: int,
    *,
    host: str,
    registry: CollectorRegistry = REGISTRY,
    live: Callable[[], bool] = lambda: True,
    ready: Checks | None = None,
    shared: bool = False,
) -> WSGIServer | None:
    """Answer at the port (0: nowhere) in threads of this process.

    live: whether the process is to go on; else it wants to be started again. shared: other processes answer
    at the same port, and each connection is one's of them.
    """
    if not port:
        return None
    kind = _Shared if shared else _Server
    kind.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
    app = _application(make_wsgi_app(registry), live, ready or {})
    server = make_server(host, port, app, server_class=kind, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True, name="metrics").start()
    return server


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        try:
            super().server_bind()
        except OSError as error:
            raise OSError(f"YTRAG_METRICS_PORT {self.server_address[1]}: {error.strerror}") from error


class _Shared(_Server):
    allow_reuse_port = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing: a scrape every few seconds is no news."""


def _application(metrics: WSGIApplication, live: Callable[[], bool], ready: Checks) -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start_response)
        well, body = False, {"status": "unavailable"}
        if path == "/healthz":
            well, body = (True, {"status": "ok"}) if live() else (well, body)
        elif path == "/readyz":
            well, body = answer(ready)
        else:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/metrics, /healthz or /readyz\n"]
        start_response(
            "200 OK" if well else "503 Service Unavailable", [("Content-Type", "application/json")]
        )
        return [json.dumps(body).encode()]

    return app
