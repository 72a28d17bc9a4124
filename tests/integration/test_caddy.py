"""TLS before the API: the real Caddy with our file, and what the API then believes of who asks."""

import os
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from deploy.tools.compose import ROOT
from tests import tools
from tests.observed import eventually
from tests.receiver import Receiver
from tests.up import free_port


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Receiver, Path]]:
    """Its port of TLS, what stands for the API behind it, and the folder with its authority's certificate."""
    tools.needed()
    folder, port = tmp_path_factory.mktemp("caddy"), free_port()
    settings = f"{{\n admin off\n https_port {port}\n http_port {free_port()}\n skip_install_trust\n}}\n"
    with Receiver() as api:
        text = (ROOT / "deploy/caddy/Caddyfile").read_text()
        assert "reverse_proxy api:8000 {" in text
        config = folder / "Caddyfile"
        config.write_text(settings + text.replace("api:8000", api.url.removeprefix("http://")))
        own = {"YTRAG_DOMAIN": "localhost", "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
        with subprocess.Popen(
            command, env=os.environ | own, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w")
        ) as process:
            try:
                eventually(lambda: authority(folder).exists() and process.poll() is None)
                yield port, api, folder
            finally:
                process.terminate()


def authority(folder: Path) -> Path:
    return folder / "caddy/pki/authorities/local/root.crt"


def test_the_api_is_told_who_asks_and_no_strangers_word_for_it(caddy: tuple[int, Receiver, Path]) -> None:
    port, api, folder = caddy
    trusted = ssl.create_default_context(cafile=str(authority(folder)))

    def post() -> int:
        with closing(HTTPSConnection("localhost", port, context=trusted, timeout=20)) as connection:
            forged = {
                "X-Forwarded-For": "6.6.6.6",
                "X-Forwarded-Proto": "http",
                "X-Forwarded-Host": "evil.example",
            }
            connection.request("POST", "/api/videos/process", b"{}", forged)
            answer = connection.getresponse()
            assert answer.getheader("Strict-Transport-Security") == "max-age=31536000"
            return answer.status

    eventually(lambda: answers(post))

    told = api.received[-1].headers
    assert api.received[-1].path == "/api/videos/process"
    assert told["x-forwarded-for"] in ("127.0.0.1", "::1")
    assert told["x-forwarded-proto"] == "https"
    assert told["x-forwarded-host"] == told["host"] == f"localhost:{port}"


def answers(post: Callable[[], int]) -> bool:
    """Whether it does: the certificate comes a moment after the authority's."""
    try:
        return post() == 204
    except OSError:
        return False
