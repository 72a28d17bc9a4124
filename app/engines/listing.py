"""List the videos of a playlist, a channel or a page, without looking at each of them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from app.engines.media import YtDlp, media_source
from app.values import OnProgress


@dataclass(frozen=True)
class Listed:
    """A video as the list names it."""

    url: str
    title: str | None = None


@dataclass(frozen=True)
class Listing:
    """A list's title and its videos, in its order."""

    title: str | None
    videos: tuple[Listed, ...]


class VideoLister(Protocol):
    """What knows the videos behind one address."""

    def list_videos(
        self, url: str, directory: Path, *, most: int, since: date | None, on_progress: OnProgress
    ) -> Listing:
        """At most so many videos, none of which the list itself dates before `since`.

        Raises as MediaSource.download does. The directory is scratch.
        """
        ...


def video_lister() -> VideoLister:
    """The lister that this process's settings describe."""
    return YtDlpLister(media_source())


@dataclass(frozen=True)
class YtDlpLister:
    """The real one: yt-dlp in the same child process as downloads."""

    source: YtDlp

    def list_videos(
        self, url: str, directory: Path, *, most: int, since: date | None, on_progress: OnProgress
    ) -> Listing:
        """See VideoLister."""
        wish = {"most": most, "since": since.isoformat() if since else None}
        found = self.source.run("listing_child", url, directory, on_progress, listing=wish)
        videos = tuple(Listed(one["url"], one["title"]) for one in found["videos"])
        return Listing(found["title"], videos)
