"""What 'ytrag doctor' looks at: each thing that the program stands on, and what to do where it is missing."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio_ffmpeg

from app.config import Config
from app.engines import media, weights
from app.engines.index import search_index
from app.engines.sources import canonical_url
from app.errors import YtragError
from app.models import schema
from app.models.base import connect, database
from app.services import source_checks
from app.services.source_checks import Check

LOW_SPACE_BYTES = 2 * 1024**3


def every(config: Config, online_url: str | None = None) -> Iterator[Check]:
    """Look at each thing in turn; with a URL also at the real way to its source."""
    looks: list[tuple[str, Callable[[Config], Check]]] = [
        ("python", _python),
        ("data folder", _data),
        ("database", _database),
        ("ffmpeg", _ffmpeg),
        ("yt-dlp", source_checks.check_downloader),
        ("JavaScript runtime", source_checks.check_runtime),
        ("cookies", source_checks.check_cookies),
        ("proxy", source_checks.check_proxy),
        ("pace", source_checks.check_pace),
        ("recogniser model", _recogniser),
        ("embedding model", _embedder),
        ("index", _index),
    ]
    for name, look in looks:
        yield _safely(name, look, config)
    if online_url:
        yield _safely("download", lambda settings: _online(settings, online_url), config)


def _safely(name: str, look: Callable[[Config], Check], config: Config) -> Check:
    try:
        return look(config)
    except YtragError as error:
        return Check(name, ok=False, found=error.detail, to_do=error.hint)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what the doctor was asked for
        return Check(name, ok=False, found=f"{type(error).__name__}: {error}", to_do="See the error.")


def _python(_config: Config) -> Check:
    return Check("python", ok=sys.version_info >= (3, 11), found=sys.version.split()[0])


def _data(config: Config) -> Check:
    config.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=config.data_dir):
        free = shutil.disk_usage(config.data_dir).free
    found = f"{config.data_dir.absolute()}, {free / 1024**3:.1f} GiB free"
    to_do = (
        ""
        if free > LOW_SPACE_BYTES
        else f"Free some space: below {LOW_SPACE_BYTES / 1024**3:.0f} GiB jobs may fail."
    )
    return Check("data folder", ok=not to_do, found=found, to_do=to_do)


def _database(config: Config) -> Check:
    connect(config.database())
    database.execute_sql("SELECT 1")
    missing = schema.pending()
    found = f"{database.obj.database}, " + (f"lacks {', '.join(missing)}" if missing else "up to date")
    return Check("database", ok=not missing, found=found, to_do="Run 'ytrag db upgrade'." if missing else "")


def _ffmpeg(_config: Config) -> Check:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    out = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=True).stdout
    return Check("ffmpeg", ok=True, found=" ".join(out.split()[:3]))


def _recogniser(config: Config) -> Check:
    found = weights.whisper(config.whisper_model, config.data_dir)
    return Check("recogniser model", ok=True, found=f"{config.whisper_model} ({found.source})")


def _embedder(config: Config) -> Check:
    found = weights.embedding(config.embedding_model)
    return Check("embedding model", ok=True, found=f"{config.embedding_model} ({found.source})")


def _index(_config: Config) -> Check:
    stats = search_index().stats()
    size = "" if stats.size_bytes is None else f", {stats.size_bytes / 1024**2:.1f} MiB"
    return Check("index", ok=True, found=f"{stats.videos} videos, {stats.segments} segments{size}")


def _online(config: Config, url: str) -> Check:
    """The whole way to the source: name, connection, extraction, download."""
    address = canonical_url(url, config.allowed_sources)
    with tempfile.TemporaryDirectory() as directory:
        found = media.media_source().download(address, Path(directory), on_progress=lambda _fraction: None)
        size = found.path.stat().st_size if found.path else 0
    return Check("download", ok=True, found=f"{found.title!r}, {size / 1024**2:.1f} MiB")
