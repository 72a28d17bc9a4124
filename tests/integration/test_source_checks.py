"""What is said of the way to the sources, by 'ytrag doctor' and 'ytrag sources update-check'."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from app.cli.main import main
from app.config import Config
from app.engines import downloader
from app.services import source_checks
from app.services.source_checks import Check
from tests.integration.conftest import StoppedClock
from tests.webserver import WebServer

COOKIE = "{domain}\tTRUE\t/\tTRUE\t{expires}\tSID\tabc\n"
HEAD = "# Netscape HTTP Cookie File\n"


def ytrag(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.output


def offer(web: WebServer, version: str) -> str:
    """Have the web server be a package index that has this yt-dlp; its address."""
    name = f"yt_dlp-{version}-py3-none-any.whl"
    (web.folder / "simple").mkdir()
    (web.folder / "simple" / "yt-dlp").write_text(f"<!doctype html><a href={web.url}/{name}>{name}</a>")
    return f"{web.url}/simple"


def test_a_newer_downloader_is_named_with_the_command_that_fetches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WebServer(tmp_path) as web:
        monkeypatch.setenv("PIP_INDEX_URL", offer(web, "2099.1.31"))
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")

        said = ytrag("sources", "update-check")
        told = json.loads(ytrag("sources", "update-check", "--json"))

    print(said)
    assert f"yt-dlp {downloader.installed().version} is " in said
    assert f"2099.1.31 is to be had: {downloader.UPDATE}" in said
    assert (told["newest"], told["update"], told["trouble"]) == ("2099.1.31", downloader.UPDATE, None)


@pytest.mark.parametrize("offered", ["2020.1.1", None], ids=["an older one", "no answer"])
def test_without_a_newer_one_no_update_is_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offered: str | None
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with WebServer(tmp_path) as web:
        monkeypatch.setenv("PIP_INDEX_URL", offer(web, offered) if offered else f"{web.url}/none")

        told = json.loads(ytrag("sources", "update-check", "--json"))

    assert told["update"] is None
    assert (told["newest"] is None) == (offered is None) == bool(told["trouble"])


def test_an_old_downloader_is_a_finding_of_the_doctor(time: StoppedClock) -> None:
    year, month, day = downloader.installed().order
    time.moment = time.moment.replace(year=year, month=month, day=day)
    assert source_checks.check_downloader(Config()).ok

    time.pass_s((downloader.OLD_DAYS + 1) * 86400)

    found = source_checks.check_downloader(Config())
    assert not found.ok
    assert "61 days old" in found.found
    assert downloader.UPDATE in found.to_do


def test_the_runtime_is_the_one_that_yt_dlp_asks_for() -> None:
    found = source_checks.check_runtime(Config())

    assert found.ok
    assert found.found.startswith("deno 2.")


@pytest.mark.parametrize(
    ("content", "found", "to_do"),
    [
        (None, "cannot be read: No such file", "let this user read it"),
        ('[{"domain": ".youtube.com"}]', "not in Netscape format", "in Netscape format"),
        (HEAD + COOKIE.format(domain=".youtube.com", expires=1000), "0 of 1 still hold", "signed in"),
        (HEAD + COOKIE.format(domain=".a.example", expires=0), "1 of 1 still hold, 0 of", "signed in"),
        (HEAD + COOKIE.format(domain=".youtube.com", expires=0), "1 of 1 still hold, 1 of", ""),
    ],
    ids=["missing", "another format", "run out", "of another site", "good"],
)
def test_the_cookie_file_is_looked_into(tmp_path: Path, content: str | None, found: str, to_do: str) -> None:
    file = tmp_path / "cookies.txt"
    if content is not None:
        file.write_text(content)

    check = source_checks.check_cookies(Config(cookies_file=str(file)))

    assert found in check.found
    assert to_do in check.to_do
    assert check.ok == (not to_do)


class _Proxy(BaseHTTPRequestHandler):
    """Lets through who knows the password."""

    def do_CONNECT(self) -> None:
        known = self.headers["Proxy-Authorization"] == "Basic YWRhOmJlZXM="  # ada:bees
        self.send_response(200 if known and self.path == "youtube.com:443" else 407)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Keep quiet."""


@pytest.fixture
def proxy_port() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def test_the_proxy_is_tried_and_its_password_not_told(proxy_port: int) -> None:
    def look(user: str, port: int = proxy_port) -> Check:
        return source_checks.check_proxy(Config(proxy=f"http://{user}@127.0.0.1:{port}"))

    assert look("ada:bees") == Check("proxy", ok=True, found=f"http://127.0.0.1:{proxy_port} lets us through")
    refused, gone = look("ada:wasps"), look("ada:bees", 9)
    assert "407" in refused.found
    assert "refused" in gone.found
    assert refused.to_do == gone.to_do != ""
    assert "wasps" not in str(refused)


def test_what_is_no_proxy_is_named_as_such() -> None:
    check = source_checks.check_proxy(Config(proxy="proxy.lan"))

    assert (check.ok, check.found) == (False, "not the address of a proxy")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"download_spacing_s": 0.0}, ["YTRAG_DOWNLOAD_SPACING_S"]),
        ({"downloads_per_source": 9}, ["YTRAG_DOWNLOADS_PER_SOURCE"]),
        ({"download_spacing_s": 0.0, "allowed_sources": ("media.example",)}, []),
        ({}, []),
    ],
)
def test_a_pace_that_gets_a_server_blocked_is_named(settings: dict[str, object], named: list[str]) -> None:
    make: Callable[..., Config] = Config

    check = source_checks.check_pace(make(**settings))

    assert check.ok == (not named)
    assert all(name in check.to_do for name in named)
