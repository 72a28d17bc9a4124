"""The process that has yt-dlp list a playlist, a channel or a page; guarded as a download is.

`python -m app.engines.listing_child` takes media_child's order with `listing` ({most, since}) for `wish`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.engines.media_child import Report, Warnings, options, serve
from app.engines.sources import is_youtube_list
from app.source_errors import UnsupportedUrl

LISTS = ["^youtube:tab$", "^youtube:playlist$"]
MOST_SCANNED = 20_000
MOST_STEPS = 5
"""Addresses that may lead from one to the next before there is a list."""
DATES_ARE_ROUGH = timedelta(days=1)


def list_videos(order: dict[str, Any], _report: Report, warnings: Warnings) -> dict[str, Any]:
    """The list's title and its videos; pages are read only as far as they are needed."""
    from yt_dlp import YoutubeDL

    how = options(order, lambda _news: None, warnings) | {"noplaylist": False, "match_filter": None}
    if is_youtube_list(order["url"]):
        how["allowed_extractors"] = LISTS
    # YouTube's lists say "2 weeks ago": a date that is at most too late.
    how["extractor_args"] = {"youtubetab": {"approximate_date": ["1"]}}
    since = order["listing"]["since"] and date.fromisoformat(order["listing"]["since"])
    with YoutubeDL(how) as downloader:
        found = _unfold(downloader, order["url"])
        videos = list(_wanted(_entries(found, order["url"]), order["listing"]["most"], since))
    return {"title": found.get("title"), "videos": videos}


def _unfold(downloader: Any, url: str) -> dict[str, Any]:
    for _ in range(MOST_STEPS):
        found: dict[str, Any] = downloader.extract_info(url, download=False, process=False) or {}
        if found.get("_type") not in ("url", "url_transparent"):
            return found
        url = found["url"]
    raise UnsupportedUrl("The address leads from one to the next and never to a list.")


def _entries(found: dict[str, Any], url: str) -> Iterator[dict[str, Any]]:
    """What is in the list; a page with one video is a list of one."""
    if found.get("_type") not in ("playlist", "multi_video"):
        yield {"_type": "url", "url": url, "title": found.get("title")}
        return
    for number, entry in enumerate(found["entries"]):
        if number >= MOST_SCANNED:
            return
        if entry:
            yield entry


def _wanted(entries: Iterator[dict[str, Any]], most: int, since: date | None) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if most == 0:
            return
        url = _address(entry)
        if url and not (since and _is_older(entry, since)):
            most -= 1
            yield {"url": url, "title": entry.get("title")}


def _address(entry: dict[str, Any]) -> str | None:
    """Where the video is: a page of its own, else its file."""
    if entry.get("_type") in ("url", "url_transparent"):
        return entry.get("url")
    files = [one["url"] for one in entry.get("formats") or [] if one.get("url")]
    return entry.get("original_url") or entry.get("url") or (files[-1] if files else None)


def _is_older(entry: dict[str, Any], since: date) -> bool:
    moment, day = entry.get("timestamp"), entry.get("upload_date") or ""
    if moment is None and not day:
        return False
    known = datetime.fromtimestamp(moment, UTC).date() if moment is not None else date.fromisoformat(day)
    return known + DATES_ARE_ROUGH < since


if __name__ == "__main__":
    serve(list_videos)
