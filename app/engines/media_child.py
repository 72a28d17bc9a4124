"""The process that runs yt-dlp on what a stranger names: limited, without our settings, killed by its parent.

`python -m app.engines.media_child` reads one JSON object from stdin (url, directory, wish, limits,
allowed_hosts, cookies_file, proxy) and writes JSON lines to stdout: {"fraction": 0.5} any number of times,
then {"found": {…}} or {"code": …, "detail": …} with whatever else the error knows.
"""

import contextlib
import io
import json
import os
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Sized
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import deno

from app import error_codes
from app.engines import captions, guard
from app.engines import partial as partial_file
from app.engines.media_errors import translate
from app.engines.sources import youtube_id
from app.errors import NoAudio, StageError, TooLarge, TooLong
from app.source_errors import (
    AddressRefused,
    CookiesRefused,
    DownloadFailed,
    LiveVideo,
    NoFormats,
    UnsupportedUrl,
    UpcomingVideo,
    VideoRestricted,
)

MEMORY_BYTES = 2 * 1024**3
PROCESSOR_S = 1800
SCRATCH_BYTES = 16 * 1024**2
REPORT_EVERY_S = 0.25
TOLD = (
    *("id", "webpage_url", "duration", "language", "upload_date", "release_date", "thumbnail"),
    *("description", "tags", "chapters"),
)

Report = Callable[[dict[str, Any]], None]


class Warnings:
    """Takes yt-dlp's messages and keeps the last warnings: the rest of what matters comes as an exception."""

    def __init__(self) -> None:
        self.kept = deque[str](maxlen=50)

    def debug(self, message: str) -> None:
        """Drop it."""

    error = debug

    def warning(self, message: str) -> None:
        """Keep it."""
        self.kept.append(message[:2000])


Work = Callable[[dict[str, Any], Report, Warnings], dict[str, Any]]


def serve(work: Work) -> None:
    """Do the work that stdin orders and tell stdout how it went."""
    order, out = json.load(sys.stdin), sys.stdout

    def report(news: dict[str, Any]) -> None:
        print(json.dumps(news), file=out, flush=True)

    limit_resources(order["limits"]["max_bytes"])
    os.chdir(order["directory"])
    with contextlib.redirect_stdout(sys.stderr):
        refused = guard.install(
            order["url"],
            allowed_hosts=order["allowed_hosts"],
            proxy=order["proxy"],
            programs=[deno.find_deno_bin()],
        )
        news = attempt(work, order, report, refused)
    report(news)


def attempt(work: Work, order: dict[str, Any], report: Report, refused: Sized = ()) -> dict[str, Any]:
    """Do the work; what it found, or the error that it met; refused: connections that the guard did not let.

    It raises nothing: whatever it is, the parent must be told.
    """
    warnings = Warnings()
    try:
        return {"found": work(order, report, warnings)}
    except Exception as failure:  # noqa: BLE001
        error = translate(failure, warnings.kept)
        if refused and error.policy == "retry":  # yt-dlp tells of a lost connection and not of why
            error = AddressRefused("The source led to an address inside a network: not for this server.")
        return error_codes.told(_dated(error, order))


def _dated(error: StageError, order: dict[str, Any]) -> StageError:
    """The error with the time of the premiere or live event, which its sentence gives roughly at best."""
    from yt_dlp import YoutubeDL

    if isinstance(error, UpcomingVideo) and error.not_before is None:
        how = options(order, print, Warnings()) | {"ignore_no_formats_error": True}
        with contextlib.suppress(Exception), YoutubeDL(how) as downloader:
            found = downloader.extract_info(order["url"], download=False, process=False)
            error.not_before = datetime.fromtimestamp(found["release_timestamp"], UTC)
    return error


def limit_resources(file_bytes: int) -> None:
    """Bound memory, processor time and the size of any file, for this process and those it starts.

    Memory is bounded by RLIMIT_DATA, not RLIMIT_AS: V8 in deno reserves far more addresses than it fills
    and dies at start even with 8 GB of them. Deno's own cache needs files of SCRATCH_BYTES.
    """
    wanted = {
        resource.RLIMIT_DATA: MEMORY_BYTES,
        resource.RLIMIT_CPU: PROCESSOR_S,
        resource.RLIMIT_FSIZE: max(file_bytes, SCRATCH_BYTES),
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def fetch(order: dict[str, Any], report: Report, warnings: Warnings) -> dict[str, Any]:
    """Download into the working directory; return what yt-dlp tells of the video and the file's name.

    Where captions are wished for and serve, they are told instead, and nothing is downloaded. What a dead
    attempt at the same left there is gone on with.
    """
    from yt_dlp import YoutubeDL

    here = Path.cwd()
    seam = partial_file.cut(here)
    with YoutubeDL(options(order, report, warnings) | {"continuedl": seam is not None}) as downloader:

        def find(found: dict[str, Any]) -> dict[str, Any] | None:
            return captions.find(found, **order["wish"], fetch=partial(_body, downloader))

        try:
            found = _only(downloader.extract_info(order["url"], download=False))
        except Exception as failure:
            found = _without_files(order, failure, warnings)
            told = find(found)
            if told is None:
                raise
        else:
            told = find(found)
            if told is None:
                found = _only(downloader.process_ie_result(found, download=True))
    files = found.get("requested_downloads") or []
    if seam and files and not seam.holds(Path(files[0]["filepath"])):
        partial_file.empty(here)
        return fetch(order, report, warnings)
    if not files and told is None:
        raise DownloadFailed("The downloader ended without a file and without saying why.")
    return {field: found.get(field) for field in TOLD} | {
        "extractor": found["extractor"].lower(),
        "title": (found.get("title") or "").removesuffix(" (1)" if found["extractor"] == "html5" else ""),
        "channel": found.get("channel") or found.get("uploader"),
        "file": Path(files[0]["filepath"]).name if told is None else None,
        "captions": told,
    }


def _without_files(order: dict[str, Any], failure: Exception, warnings: Warnings) -> dict[str, Any]:
    """A video whose captions may serve though the source gives none of its files; else the failure itself."""
    from yt_dlp import YoutubeDL

    if order["wish"]["mode"] == "asr" or not isinstance(translate(failure, warnings.kept), NoFormats):
        raise failure
    how = options(order, print, Warnings()) | {"ignore_no_formats_error": True}
    with YoutubeDL(how) as downloader:
        return _only(downloader.extract_info(order["url"], download=False))


def _only(found: dict[str, Any] | None) -> dict[str, Any]:
    """The one video of what was found; a page that holds several was refused by the match filter."""
    if found and found.get("_type") == "playlist":
        found = next(iter(found["entries"]), None)
    if not found:
        raise DownloadFailed("The downloader ended without a video and without saying why.")
    return found


def _body(downloader: Any, url: str) -> bytes:
    with downloader.urlopen(url) as answer:
        body: bytes = answer.read(captions.MAX_BYTES + 1)
    if len(body) > captions.MAX_BYTES:
        raise ValueError("The captions are longer than any talk.")
    return body


def options(order: dict[str, Any], report: Report, warnings: Warnings) -> dict[str, Any]:
    """What yt-dlp may do, and how, for this order."""
    return {
        "format": "bestaudio/best",
        "outtmpl": {"default": "media.%(ext)s"},
        # "youtube.*" would open its search, history and playlists too.
        "allowed_extractors": ["^youtube$"] if youtube_id(order["url"]) else ["default"],
        "noplaylist": True,
        "match_filter": _refuse(order),
        # Instead of max_filesize, which misses bodies of unknown length and raises nothing.
        "progress_hooks": [_watch(order["limits"]["max_bytes"], report)],
        "overwrites": True,
        "skip_unavailable_fragments": False,
        "retries": 2,
        "fragment_retries": 2,
        "extractor_retries": 1,
        "socket_timeout": 20,
        # Found beside this Python; PATH may name none, or one that is too old.
        "js_runtimes": {"deno": {"path": deno.find_deno_bin()}},
        "ffmpeg_location": os.devnull,  # whatever needs ffmpeg is refused: it would open addresses on its own
        "hls_prefer_native": True,
        "fixup": "never",
        "cachedir": False,
        "updatetime": False,
        "cookiefile": _copy(order["cookies_file"]),
        "proxy": order["proxy"] or None,
        "logger": warnings,
        "quiet": True,
        "noprogress": True,
    }


def _copy(cookies_file: str) -> io.StringIO | None:
    """The cookies in memory: yt-dlp writes back to what it was given."""
    try:
        return io.StringIO(Path(cookies_file).read_text(encoding="utf-8")) if cookies_file else None
    except (OSError, ValueError) as error:
        raise CookiesRefused("The server's cookie file cannot be read.") from error


def _refuse(order: dict[str, Any]) -> Callable[..., None]:
    """A match filter that raises: a rejection that it returned would end the download without a word."""
    wanted, longest_s = youtube_id(order["url"]), order["limits"]["max_duration_s"]

    def refuse(found: Any, *, incomplete: bool = False) -> None:
        if (found.get("n_entries") or 1) > 1:
            raise UnsupportedUrl(
                f"The page holds {found['n_entries']} videos; the address of one of them is expected."
            )
        if found.get("live_status") == "is_upcoming":
            raise UpcomingVideo("The video is announced and has not begun.")
        if found.get("is_live") or found.get("live_status") in ("is_live", "post_live"):
            raise LiveVideo("The video is a live stream that is not over, or not yet ready to be downloaded.")
        if (found.get("duration") or 0) > longest_s:
            raise TooLong(
                f"The video lasts {found['duration']:.0f} s; this server takes up to {longest_s:.0f} s."
            )
        if wanted and found.get("id") not in (None, wanted):
            raise VideoRestricted("The video must be paid for; only its trailer plays.")
        if _is_silent(found.get("formats") or []):
            raise NoAudio("The source offers pictures without sound.")

    return refuse


def _is_silent(formats: list[dict[str, Any]]) -> bool:
    """Whether it is known that nothing has sound; storyboards, which have neither, do not count."""
    pictures = [one for one in formats if one.get("vcodec") != "none"]
    return bool(pictures) and all(one.get("acodec") == "none" for one in formats)


def _watch(max_bytes: int, report: Report) -> Callable[[dict[str, Any]], None]:
    told_at = 0.0

    def watch(status: dict[str, Any]) -> None:
        nonlocal told_at
        done, total = status.get("downloaded_bytes") or 0, status.get("total_bytes") or 0
        if max(done, total) > max_bytes:
            raise TooLarge(f"The file is larger than the {max_bytes} bytes that this server takes.")
        total = total or status.get("total_bytes_estimate") or 0
        if total and time.monotonic() - told_at > REPORT_EVERY_S:
            told_at = time.monotonic()
            report({"fraction": min(1.0, done / total)})

    return watch


if __name__ == "__main__":
    serve(fetch)
