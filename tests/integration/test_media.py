"""The downloader, with the real yt-dlp in its child process, against a web server on loopback."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from app import config
from app.engines.media import DownloadLimits, YtDlp, media_source
from app.errors import SourceUnreachable, StageError, TimeLimitReached, TooLarge, TooLong, WorkStopped
from app.source_errors import (
    CookiesRefused,
    LiveVideo,
    ProxyFailed,
    UnsupportedUrl,
    VideoUnavailable,
)
from app.values import Media
from tests.media_files import make_video
from tests.webserver import WebServer

LIMITS = DownloadLimits(max_duration_s=600, max_bytes=10_000_000, timeout_s=60)
HERE = ("127.0.0.1",)
ORDINARY = YtDlp(LIMITS, HERE)
PAGE = """<!doctype html><html><head><title>A talk on bees</title></head><body><video>
<source src=talk.mp4 type=video/mp4><track kind=subtitles srclang=en src=talk.en.vtt></video></body></html>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    folder = tmp_path_factory.mktemp("site")
    make_video(folder / "talk.mp4")
    (folder / "talk.html").write_text(PAGE)
    (folder / "two.html").write_text(
        "<title>Two</title><video src=talk.mp4></video><video src=b.mp4></video>"
    )
    (folder / "words.html").write_text(
        "<!doctype html><html><title>Words</title><p>Nothing moves.</p></html>"
    )
    (folder / "live.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n/slow/talk.mp4\n")
    with WebServer(folder) as running:
        yield running


def download(
    url: str,
    directory: Path,
    *,
    source: YtDlp = ORDINARY,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> Media:
    return source.download(url, directory, on_progress=on_progress)


def content(media: Media) -> bytes:
    """What was downloaded."""
    assert media.path
    return media.path.read_bytes()


def write_described(server: WebServer, name: str, duration: str) -> str:
    """A page that describes its video in JSON-LD, as many sites do."""
    about = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": "Bees",
        "uploadDate": "2024-05-06",
        "duration": duration,
        "thumbnailUrl": "http://media.example.org/bees.jpg",
        "encodingFormat": "video/mp4",
        "contentUrl": f"{server.url}/talk.mp4?{name}",
    }
    (server.folder / name).write_text(
        f'<!doctype html><html><script type="application/ld+json">{json.dumps(about)}</script></html>'
    )
    return f"{server.url}/{name}"


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_source_is_made_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "YTRAG_MAX_DURATION_S": "60",
        "YTRAG_MAX_DOWNLOAD_BYTES": "1000",
        "YTRAG_STAGE_TIME_LIMIT_DOWNLOAD_S": "5",
        "YTRAG_ALLOWED_SOURCES": "127.0.0.1",
        "YTRAG_COOKIES_FILE": "cookies.txt",
        "YTRAG_PROXY": "http://proxy:3128",
    }
    monkeypatch.setattr(config, "_current", config.Config.from_env(environment))

    source = media_source()

    assert source == YtDlp(
        DownloadLimits(60, 1000, 5), HERE, cookies_file="cookies.txt", proxy="http://proxy:3128"
    )


def test_a_page_with_a_video_element_gives_its_file_and_title(server: WebServer, tmp_path: Path) -> None:
    url = f"{server.url}/talk.html"

    media = download(url, tmp_path)

    assert (media.title, media.extractor, media.external_id) == ("A talk on bees", "html5", url)
    assert media.webpage_url == url
    assert content(media) == (server.folder / "talk.mp4").read_bytes()
    assert list(tmp_path.iterdir()) == [media.path]


def test_a_direct_link_gives_the_file_under_its_own_name(server: WebServer, tmp_path: Path) -> None:
    media = download(f"{server.url}/redirect/talk.mp4", tmp_path)

    assert (media.title, media.extractor) == ("talk", "generic")
    assert media.webpage_url == f"{server.url}/talk.mp4"
    assert content(media) == (server.folder / "talk.mp4").read_bytes()


def test_what_a_page_says_of_its_video_is_kept(server: WebServer, tmp_path: Path) -> None:
    media = download(write_described(server, "short.html", "PT12S"), tmp_path)

    assert (media.title, media.duration_s, media.published_on) == ("Bees", 12, date(2024, 5, 6))
    assert media.thumbnail_url == "http://media.example.org/bees.jpg"


def test_a_video_that_says_it_is_too_long_is_refused_before_it_is_downloaded(
    server: WebServer, tmp_path: Path
) -> None:
    url = write_described(server, "long.html", "PT20M")
    before = len(server.requests)

    with pytest.raises(TooLong, match="1200 s; this server takes up to 600 s"):
        download(url, tmp_path)

    assert server.requests[before:] == ["/long.html"]


@pytest.mark.parametrize(
    ("path", "error", "sentence"),
    [
        ("/live.m3u8", LiveVideo, "live stream"),
        ("/two.html", UnsupportedUrl, "holds 2 videos"),
        ("/words.html", UnsupportedUrl, "No video was found"),
        ("/missing.html", VideoUnavailable, "404"),
        ("/status/410", VideoUnavailable, "410"),
        ("/status/503", SourceUnreachable, "503"),
        ("/cut/talk.mp4", SourceUnreachable, "expected"),
        ("/empty/talk.mp4", SourceUnreachable, "data"),
    ],
)
def test_what_is_wrong_with_a_source_is_named_and_nothing_is_left(
    server: WebServer, tmp_path: Path, path: str, error: type[StageError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as failure:
        download(server.url + path, tmp_path)

    assert type(failure.value) is error
    assert "ERROR" not in failure.value.detail
    assert "generic" not in failure.value.detail
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with WebServer(tmp_path) as gone:
        url = f"{gone.url}/talk.mp4"

    with pytest.raises(SourceUnreachable, match="refused"):
        download(url, tmp_path / "job")


@pytest.mark.parametrize("way", ["", "/chunked"], ids=["of known length", "of unknown length"])
def test_a_file_that_is_too_large_is_refused_and_nothing_is_left(
    server: WebServer, tmp_path: Path, way: str
) -> None:
    small = YtDlp(DownloadLimits(max_duration_s=600, max_bytes=20_000, timeout_s=60), HERE)

    with pytest.raises(TooLarge, match="larger"):
        download(f"{server.url}{way}/talk.mp4", tmp_path, source=small)

    assert list(tmp_path.iterdir()) == []


def test_progress_grows_from_nothing_to_all(server: WebServer, tmp_path: Path) -> None:
    told: list[float] = []

    download(f"{server.url}/slow/talk.mp4", tmp_path, on_progress=told.append)

    assert told == sorted(told)
    assert any(0 < fraction < 1 for fraction in told)
    assert told[-1] == 1.0


def test_stopping_kills_the_download_and_leaves_nothing(server: WebServer, tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        if fraction > 0:
            raise WorkStopped

    server.broken.clear()

    with pytest.raises(WorkStopped):
        download(f"{server.url}/slow/talk.mp4", tmp_path, on_progress=stop)

    assert list(tmp_path.iterdir()) == []
    wait_until(lambda: "/slow/talk.mp4" in server.broken)


def test_a_source_that_says_nothing_can_be_stopped_too(server: WebServer, tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        if "/hang/" in server.requests:
            raise WorkStopped

    with pytest.raises(WorkStopped):
        download(f"{server.url}/hang/", tmp_path, on_progress=stop)


def test_a_download_that_takes_too_long_is_stopped(server: WebServer, tmp_path: Path) -> None:
    hasty = YtDlp(DownloadLimits(max_duration_s=600, max_bytes=10_000_000, timeout_s=0.1), HERE)

    with pytest.raises(TimeLimitReached, match="longer than"):
        download(f"{server.url}/hang/", tmp_path, source=hasty)


def test_cookies_are_sent_to_their_host_and_their_file_stays_as_it_was(
    server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(
        "# Netscape HTTP Cookie File\n"
        "127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tabc\n"
        "media.example.org\tFALSE\t/\tFALSE\t0\tother\txyz\n"
    )
    before = cookies.read_bytes()
    monkeypatch.chdir(tmp_path)

    download(
        f"{server.url}/talk.mp4", tmp_path / "job", source=YtDlp(LIMITS, HERE, cookies_file="cookies.txt")
    )

    assert server.cookies[-1] == "session=abc"
    assert cookies.read_bytes() == before
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["media.mp4"]


def test_a_missing_cookie_file_is_named_without_its_path(server: WebServer, tmp_path: Path) -> None:
    source = YtDlp(LIMITS, HERE, cookies_file=str(tmp_path / "none.txt"))

    with pytest.raises(CookiesRefused, match="cookie file cannot be read") as failure:
        download(f"{server.url}/talk.mp4", tmp_path / "job", source=source)

    assert str(tmp_path) not in failure.value.detail


def test_all_requests_go_through_the_proxy(server: WebServer, tmp_path: Path) -> None:
    source = YtDlp(LIMITS, proxy=server.url)

    media = download("http://media.invalid/talk.html", tmp_path, source=source)

    assert media.external_id == "http://media.invalid/talk.html"
    assert content(media) == (server.folder / "talk.mp4").read_bytes()


def test_a_proxy_that_refuses_is_no_fault_of_the_video(server: WebServer, tmp_path: Path) -> None:
    source = YtDlp(LIMITS, proxy=server.url)

    with pytest.raises(ProxyFailed, match=r"roxy|unnel"):
        download("https://www.youtube.com/watch?v=jNQXAC9IVRw", tmp_path, source=source)


def test_what_stands_in_the_directory_is_not_taken_for_the_download(
    server: WebServer, tmp_path: Path
) -> None:
    (tmp_path / "media.mp4").write_bytes(b"old")
    (tmp_path / "media.mp4.part").write_bytes(b"older")

    media = download(f"{server.url}/talk.mp4", tmp_path)

    assert content(media) == (server.folder / "talk.mp4").read_bytes()


def test_the_limits_leave_the_javascript_runtime_alive() -> None:
    program = (
        "import deno, subprocess; from app.engines.media_child import limit_resources; limit_resources(1000);"
        "subprocess.run([deno.find_deno_bin(), 'eval', 'console.log(40 + 2)'], check=True)"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180)

    assert ended.stdout == "42\n", ended.stderr
