"""The attacks' list and the audit of the dependencies."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.attack import AREAS, audited
from tests.up import ROOT, free_port


class Advisories(BaseHTTPRequestHandler):
    """Knows of one fault in Flask, whatever its version."""

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        results = [
            {"vulns": [{"id": "GHSA-one"}]} if query["package"]["name"] == "flask" else {}
            for query in queries
        ]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"results": results}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Keep quiet."""


def test_known_faults_of_the_pinned_versions_are_told() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said = audited(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()

    assert re.fullmatch(r"Dependencies: 1 of \d{2,} with known advisories\.\nflask [\d.]+: GHSA-one", said), (
        said
    )


def test_where_no_advisories_can_be_had_that_is_said() -> None:
    assert "NOT audited" in audited(f"http://127.0.0.1:{free_port()}/")


def test_what_attacks_and_what_the_threat_model_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", (ROOT / "docs/security.md").read_text(encoding="utf-8")))

    assert all((ROOT / file).exists() for files in AREAS.values() for file in files)
    assert [name for name in named if not list((ROOT / "tests").rglob(name))] == []
