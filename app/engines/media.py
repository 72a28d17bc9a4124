"""Download a video's sound from its source."""

import contextlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import app
from app import config
from app.engines.processes import Child
from app.error_codes import rebuilt
from app.errors import TimeLimitReached
from app.source_errors import AddressRefused, DownloadFailed
from app.values import Captions, Chapter, Media, OnProgress, Wish, Word

log = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT_S = 3600.0
"""The longest that one download may take where YTRAG_STAGE_TIME_LIMIT_DOWNLOAD_S does not say."""
CODE = Path(app.__file__).parents[1]
TITLE_LENGTH = 300
SOUND = Wish("asr")


@dataclass(frozen=True)
class DownloadLimits:
    """What one download may cost; timeout_s is by the clock on the wall."""

    max_duration_s: float
    max_bytes: int
    timeout_s: float


class MediaSource(Protocol):
    """Where videos come from."""

    def download(self, url: str, directory: Path, *, on_progress: OnProgress, wish: Wish = SOUND) -> Media:
        """Fetch the sound of the video at this canonical URL into a directory that holds nothing else.

        But what an attempt at the same URL has left there, whose worker died, is gone on with if it fits.

        Where the wish is for captions and the source has some that serve, they come instead of the sound.

        Raises a StageError that says what was wrong, and whatever on_progress raises, which is called at
        least every second. The directory is empty after any error.
        """
        ...


@dataclass(frozen=True)
class YtDlp:
    """The real source: yt-dlp in a child process that is killed when it must stop."""

    limits: DownloadLimits
    allowed_hosts: tuple[str, ...] = ()
    cookies_file: str = ""
    proxy: str = ""

    def download(self, url: str, directory: Path, *, on_progress: OnProgress, wish: Wish = SOUND) -> Media:
        """See MediaSource."""
        with _emptied_on_error(directory):
            found = self.run("media_child", url, directory, on_progress, wish=asdict(wish))
            on_progress(1.0)
            return _media(found, url, directory)

    def run(
        self, program: str, url: str, directory: Path, on_progress: OnProgress, **more: Any
    ) -> dict[str, Any]:
        """Have a child program of app.engines do its work on the URL; errors as of MediaSource.download."""
        order = asdict(self) | {"url": url, "directory": str(directory.absolute())} | more
        order["cookies_file"] = self.cookies_file and str(Path(self.cookies_file).absolute())
        fraction, outcome, started = 0.0, dict[str, Any](), time.monotonic()
        command = [sys.executable, "-m", f"app.engines.{program}"]
        with Child(
            command, directory=CODE, stdin=json.dumps(order).encode(), environment=_environment()
        ) as child:
            for line in child.lines():
                if line:
                    outcome = json.loads(line)
                    fraction = outcome.get("fraction", fraction)
                elif time.monotonic() - started > self.limits.timeout_s:
                    raise TimeLimitReached(f"The download took longer than {self.limits.timeout_s:.0f} s.")
                else:
                    on_progress(fraction)
        if "code" in outcome:
            error = rebuilt(outcome)
            if isinstance(error, AddressRefused):
                log.warning("a source led inside", extra={"url": url, "stderr": child.stderr[-500:]})
            raise error
        if "found" not in outcome:
            log.error(
                "downloader died", extra={"returncode": child.returncode, "stderr": child.stderr[-2000:]}
            )
            raise DownloadFailed(f"The downloader died without a word (exit code {child.returncode}).")
        return dict(outcome["found"])


def media_source() -> YtDlp:
    """The source that this process's settings describe."""
    settings = config.current()
    limits = DownloadLimits(
        max_duration_s=settings.max_duration_s,
        max_bytes=settings.max_download_bytes,
        timeout_s=settings.stage_time_limits_s.get("download", DOWNLOAD_TIMEOUT_S),
    )
    return YtDlp(
        limits,
        allowed_hosts=settings.allowed_sources,
        cookies_file=settings.cookies_file,
        proxy=settings.proxy,
    )


def _environment() -> dict[str, str]:
    """Ours without our settings, which hold passwords, and with yt-dlp's plug-ins off."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    return kept | {"YTDLP_NO_PLUGINS": "1", "PYTHONUTF8": "1"}


@contextlib.contextmanager
def _emptied_on_error(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True, exist_ok=True)
        raise


def _media(found: dict[str, Any], url: str, directory: Path) -> Media:
    """What yt-dlp told, as ours; outside YouTube two pages can share yt-dlp's id, so the URL is the id."""
    title = " ".join(found["title"].split())
    return Media(
        path=directory / found["file"] if found["file"] else None,
        extractor=found["extractor"],
        external_id=found["id"] if found["extractor"] == "youtube" else url,
        title=title[:TITLE_LENGTH] or url,
        webpage_url=found["webpage_url"] or url,
        duration_s=found["duration"],
        channel=found["channel"],
        language=found["language"],
        published_on=_day(found["upload_date"] or found["release_date"]),
        thumbnail_url=found["thumbnail"],
        description=found["description"],
        tags=tuple(found["tags"] or ()),
        chapters=_chapters(found["chapters"] or ()),
        captions=_captions(found["captions"]),
    )


def _chapters(told: Sequence[dict[str, Any]]) -> tuple[Chapter, ...]:
    known = [one for one in told if one.get("title") and one.get("end_time") is not None]
    return tuple(Chapter(one["title"], one["start_time"], one["end_time"]) for one in known)


def _captions(told: dict[str, Any] | None) -> Captions | None:
    if told is None:
        return None
    words = tuple(Word(text, start_s, end_s, 1.0) for text, start_s, end_s in told["words"])
    return Captions(told["source"], told["language"], words)


def _day(digits: str | None) -> date | None:
    return date.fromisoformat(digits) if digits else None
