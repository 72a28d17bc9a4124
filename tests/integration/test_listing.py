"""Lists of videos from a played YouTube and from pages of loopback, through the real downloader."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.engines.listing import Listing, YtDlpLister
from app.engines.media import DownloadLimits, YtDlp
from app.errors import StageError
from app.source_errors import VideoUnavailable
from tests.webserver import WebServer
from tests.youtube import PAGE_SIZE, Play, YouTube

CHANNEL = "https://www.youtube.com/@zoo/videos"
PLAYLIST = "https://www.youtube.com/playlist?list=PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf"
LISTER = YtDlpLister(
    YtDlp(DownloadLimits(max_duration_s=600, max_bytes=10_000_000, timeout_s=60), ("127.0.0.1",))
)
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Bees</title>
<item><title>One</title><link>{url}/one.html</link></item>
<item><title>Two</title><link>{url}/two.html</link></item></channel></rss>"""


def list_videos(url: str, directory: Path, *, most: int = 100, since: date | None = None) -> Listing:
    return LISTER.list_videos(url, directory, most=most, since=since, on_progress=lambda _fraction: None)


def plays(count: int) -> list[Play]:
    return [
        Play(f"video{number:06d}", f"Talk {number}", published=f"{number + 1} days ago")
        for number in range(count)
    ]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WebServer]:
    folder = tmp_path / "site"
    folder.mkdir()
    with WebServer(folder) as server:
        (folder / "feed.xml").write_text(FEED.format(url=server.url))
        (folder / "page.html").write_text(
            "<title>Both</title><video src=a.mp4></video><video src=b.mp4></video>"
        )
        yield server


@pytest.mark.parametrize("url", [CHANNEL, PLAYLIST])
def test_all_videos_of_a_list_are_found_in_its_order(youtube: YouTube, tmp_path: Path, url: str) -> None:
    youtube.videos = plays(2 * PAGE_SIZE + 10)
    youtube.save()

    found = list_videos(url, tmp_path)

    assert found.title
    assert [video.title for video in found.videos] == [
        f"Talk {number}" for number in range(2 * PAGE_SIZE + 10)
    ]
    assert found.videos[0].url == "https://www.youtube.com/watch?v=video000000"
    assert not youtube.asked("/watch")


def test_a_list_is_read_no_farther_than_needed(youtube: YouTube, tmp_path: Path) -> None:
    youtube.videos = plays(3 * PAGE_SIZE)
    youtube.save()

    found = list_videos(CHANNEL, tmp_path, most=PAGE_SIZE + 1)

    assert len(found.videos) == PAGE_SIZE + 1
    assert len(youtube.asked("/youtubei/v1/browse")) == 1


def test_videos_that_the_list_dates_before_a_day_are_left_out(youtube: YouTube, tmp_path: Path) -> None:
    youtube.videos = plays(20)
    youtube.save()
    since = (datetime.now(UTC) - timedelta(days=5)).date()

    found = list_videos(CHANNEL, tmp_path, since=since)

    assert 5 <= len(found.videos) <= 7


@pytest.mark.parametrize("answer", ["404", "503"])
def test_a_list_that_is_not_answered_is_an_error_with_a_code(
    youtube: YouTube, tmp_path: Path, answer: str
) -> None:
    youtube.answer = answer
    youtube.save()

    with pytest.raises(StageError, match=answer) as failure:
        list_videos(PLAYLIST, tmp_path)

    assert isinstance(failure.value, VideoUnavailable) is (answer == "404")


def test_a_feed_and_a_page_with_several_videos_are_lists_too(site: WebServer, tmp_path: Path) -> None:
    feed, page = (list_videos(f"{site.url}/{name}", tmp_path) for name in ("feed.xml", "page.html"))

    assert [video.url for video in feed.videos] == [f"{site.url}/one.html", f"{site.url}/two.html"]
    assert [video.url for video in page.videos] == [f"{site.url}/a.mp4", f"{site.url}/b.mp4"]
