"""What sources answer instead of a video, met by the real extractors, and what the program makes of it.

YouTube's own extractor asks a played YouTube; the generic one a web server with real pages, HLS and DASH.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.engines.media import DownloadLimits, YtDlp
from app.error_codes import rebuilt
from tests.media_files import PICTURES, SOUND, make, make_video
from tests.up import ROOT
from tests.webserver import WebServer
from tests.youtube import Play, YouTube

LIMITS = DownloadLimits(max_duration_s=600, max_bytes=500_000, timeout_s=60)


class Case(NamedTuple):
    """A signal, and the code that it must become; where: an answer of YouTube, or a path of the web."""

    signal: str
    code: str
    where: str


YOUTUBE = (
    Case("private", "video_private", "private"),
    Case("removed", "video_removed", "ERROR: This video has been removed by the uploader"),
    Case(
        "account terminated",
        "video_removed",
        "ERROR: This video is no longer available because the account has been terminated.",
    ),
    Case(
        "copyright", "video_removed", "ERROR: This video is no longer available due to a copyright claim by A"
    ),
    Case("payment", "video_restricted", "UNPLAYABLE: This video requires payment to watch."),
    Case(
        "members only",
        "video_restricted",
        "UNPLAYABLE: Join this channel to get access to members-only content",
    ),
    Case("DRM", "video_protected", "UNPLAYABLE: This video is DRM protected"),
    Case("unknown reason", "video_unavailable", "ERROR: This video is unavailable"),
    Case(
        "blocked in a country",
        "geo_restricted",
        "UNPLAYABLE: The uploader has not made this video available in your country",
    ),
    Case("premiere", "upcoming_video", "live_in"),
    Case("live now", "live_video", "live"),
    Case("bot check", "bot_check", "bot"),
    Case("captcha", "bot_check", "UNPLAYABLE: YouTube is requiring a captcha challenge before playback"),
    Case("age", "age_restricted", "LOGIN_REQUIRED: Sign in to confirm your age"),
    Case(
        "rate-limited session",
        "source_rate_limited",
        "UNPLAYABLE: The current session has been rate-limited by YouTube",
    ),
    Case("429 on all", "source_rate_limited", "429"),
    Case("403 on the file", "media_forbidden", "file 403"),
    Case("404 on the file", "video_unavailable", "file 404"),
    Case("503 on the file", "source_unreachable", "file 503"),
    Case("no formats", "no_formats", "no_files"),
    Case("plays", "", "ok"),
)
GENERIC = (
    Case("404", "video_unavailable", "/missing.html"),
    Case("410", "video_unavailable", "/status/410"),
    Case("451", "video_unavailable", "/status/451"),
    Case("429", "source_rate_limited", "/status/429"),
    Case("403", "media_forbidden", "/status/403"),
    Case("503", "source_unreachable", "/status/503"),
    Case("incomplete read", "source_unreachable", "/cut/talk.mp4"),
    Case("empty body", "source_unreachable", "/empty/talk.mp4"),
    Case("redirect loop", "unsupported_url", "/loop/talk.mp4"),
    Case("page without a video", "unsupported_url", "/words.html"),
    Case("page with two", "unsupported_url", "/two.html"),
    Case("HLS that is live", "live_video", "/live.m3u8"),
    Case("HLS with DRM", "video_protected", "/drm.m3u8"),
    Case("too large, no length", "too_large", "/chunked/large.mp4"),
    Case("page of a video", "", "/talk.html"),
    Case("HLS by ffmpeg", "", "/hls.m3u8"),
    Case("DASH by ffmpeg", "", "/dash.mpd"),
)


def ask(orders: list[tuple[str, str | None]], folder: Path) -> list[dict[str, Any]]:
    """What the program says of each address, YouTube answering so."""
    source = YtDlp(LIMITS, ("127.0.0.1",))
    wish = {"mode": "asr", "language": None}
    full = [
        (
            {
                **vars(source),
                "limits": vars(LIMITS),
                "wish": wish,
                "url": url,
                "directory": str(folder / str(n)),
            },
            said,
        )
        for n, (url, said) in enumerate(orders)
    ]
    command = [sys.executable, "-m", "tests.taxonomy"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps({"orders": full}), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def show(title: str, cases: tuple[Case, ...], told: list[dict[str, Any]]) -> None:
    """Print the table, and compare."""
    wrong = []
    print(f"\n{title:22}{'code':22}{'class':25}sentence → next step")
    for case, one in zip(cases, told, strict=True):
        code, left = one.get("code", ""), one.pop("left")
        if code:
            error = rebuilt(one)
            after = error.retries_before_operator
            policy = error.policy if after is None else f"retry {after}×, then operator"
            print(f"{case.signal:22}{code:22}{policy:25}{error.detail} → {error.hint}")
        else:
            print(f"{case.signal:22}{'–':22}{'–':25}downloaded {', '.join(left)}")
        if code != case.code or (not code and len(left) != 1):
            wrong.append((case, one))
    assert wrong == []


def test_what_youtube_answers_has_its_code_class_sentence_and_next_step(
    youtube: YouTube, tmp_path: Path
) -> None:
    youtube.videos = [Play("jNQXAC9IVRw", "At the zoo", starts_at=time.time() + 7200)]
    youtube.save()
    url = "https://www.youtube.com/watch?v=jNQXAC9IVRw"

    told = ask([(url, case.where) for case in YOUTUBE], tmp_path / "jobs")

    premiere = rebuilt({k: v for k, v in told[9].items() if k != "left"})
    show("YouTube's extractor", YOUTUBE, told)
    at = getattr(premiere, "not_before", None)
    assert at
    assert abs(at.timestamp() - youtube.videos[0].starts_at) < 1


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    make_video(folder / "talk.mp4")
    make(folder / "hls.m3u8", *SOUND, "-hls_time", "4", "-hls_playlist_type", "vod")
    make(folder / "dash.mpd", *PICTURES, *SOUND, "-pix_fmt", "yuv420p", "-seg_duration", "4")
    (folder / "large.mp4").write_bytes((folder / "talk.mp4").read_bytes() + bytes(1_000_000))
    (folder / "talk.html").write_text("<title>Bees</title><video src=talk.mp4></video>")
    (folder / "two.html").write_text("<title>Two</title><video src=a.mp4></video><video src=b.mp4></video>")
    (folder / "words.html").write_text("<!doctype html><html><title>Words</title><p>Still.</p></html>")
    (folder / "live.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n/talk.mp4\n")
    (folder / "drm.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery"\n'
        "#EXTINF:4,\n/talk.mp4\n#EXT-X-ENDLIST\n"
    )
    return folder


def test_what_other_sites_answer_has_its_code_class_sentence_and_next_step(
    site: Path, tmp_path: Path
) -> None:
    with WebServer(site) as web:
        told = ask([(web.url + case.where, None) for case in GENERIC], tmp_path / "jobs")

    show("generic extractor", GENERIC, told)
