"""The settings: a frozen Config read from YTRAG_ environment variables."""

import os
import re
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from app.errors import InvalidSetting
from app.stages import CHUNK_ACTOR, NAMES

PREFIX = "YTRAG_"
YOUTUBE_HOSTS = ("youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be")
TIMED = (*NAMES, CHUNK_ACTOR)
DEFAULT_PASSWORDS = {
    "",
    "admin",
    "changeme",
    "guest",
    "mysql",
    "password",
    "rabbitmq",
    "root",
    "secret",
    "ytrag",
}
HTTP_THREADS = 16
"""Requests that the API works on at once."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _whole(minimum: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise ValueError
        return value

    read.__doc__ = f"a whole number of at least {minimum}"
    return read


def _from_zero(text: str) -> float:
    """a number of at least 0"""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def _from(minimum: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not minimum <= value < float("inf"):
            raise ValueError
        return value

    read.__doc__ = f"a number of at least {minimum:g}"
    return read


def _positive(text: str) -> float:
    """a number above 0"""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


@dataclass(frozen=True)
class Pool:
    """Workers of one class: so many processes with so many threads each."""

    processes: int
    threads: int

    @property
    def total(self) -> int:
        """How many stages it runs at once."""
        return self.processes * self.threads

    def __str__(self) -> str:
        return f"{self.processes}x{self.threads}"


def _pool(text: str) -> Pool:
    """processes x threads, such as 2x4, or a number of threads"""
    processes, _, threads = text.replace("×", "x").rpartition("x")
    return Pool(_whole(1)(processes or "1"), _whole(1)(threads))


def _text(text: str) -> str:
    """any text"""
    return text


def _names(text: str) -> tuple[str, ...]:
    """host names parted by commas"""
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """addresses or networks (172.16.0.0/12) parted by commas"""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _numbers(text: str) -> tuple[float, ...]:
    """numbers of seconds parted by commas"""
    return tuple(_positive(part) for part in text.split(",")) if text.strip() else ()


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    read.__doc__ = "one of " + ", ".join(words)
    return read


def _switch(text: str) -> bool:
    """1 or 0"""
    return {"1": True, "true": True, "0": False, "false": False}[text.lower()]


def _setting(default: Any, read: Callable[[str], Any], about: str) -> Any:
    return field(default=default, metadata={"read": read, "about": about})


@dataclass(frozen=True)
class Config:
    """Every setting, named without its prefix in lower case, with what the README says of it."""

    env: Literal["development", "production"] = _setting(
        "development",
        _one_of("development", "production"),
        "production asks every caller for a key; development not, on loopback",
    )
    host: str = _setting("127.0.0.1", _text, "address that the API listens on")
    port: int = _setting(8000, _whole(1), "port of the API")
    metrics_host: str = _setting("127.0.0.1", _text, "address that METRICS_PORT listens on")
    metrics_port: int = _setting(
        0, _whole(0), "port of /metrics, /healthz and /readyz of each process; 0: none"
    )
    public_url: str = _setting("", _text, "address of the API in links; empty: from HOST and PORT")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _setting(
        (), _networks, "addresses or networks of reverse proxies whose X-Forwarded-… headers count"
    )
    database_url: str = _setting(
        "", _text, "sqlite:///path or mysql://user:pw@host:3306/db; empty: ytrag.db under DATA_DIR"
    )
    database_pool: int = _setting(20, _whole(1), "most connections to MySQL of one process")
    broker_url: str = _setting("", _text, "amqp://user:pw@host:5672/vhost; empty: a broker in the process")
    broker_management_url: str = _setting(
        "", _text, "http://user:pw@host:15672 of RabbitMQ's management API; empty: from BROKER_URL"
    )
    data_dir: Path = _setting(Path("var"), Path, "folder of the database, files, index and models")
    storage_url: str = _setting(
        "", _text, "where media files lie, any fsspec URL; empty: files under DATA_DIR"
    )
    index_url: str = _setting(
        "", _text, "http(s):// of a Qdrant server with the search index; empty: a file under DATA_DIR"
    )
    index_api_key: str = _setting("", _text, "key of that server")
    server_name: str = _setting("", _text, "name of this process in rows and logs; empty: the host's")
    whisper_model: str = _setting(
        "small", _text, "recogniser: hub name, folder, or 'packaged' for the demo's"
    )
    whisper_device: str = _setting("cpu", _one_of("cpu", "cuda", "auto"), "where the recogniser runs")
    whisper_compute_type: str = _setting(
        "", _text, "its arithmetic, as CTranslate2 names it; empty: int8 on a CPU, int8_float16 on a GPU"
    )
    whisper_beam: int = _setting(
        5, _whole(1), "how many wordings it weighs up at once; 1 is faster and errs more"
    )
    whisper_batch: int = _setting(0, _whole(0), "windows of 30 s in one call; 0: 1 on a CPU, 8 on a GPU")
    whisper_threads: int = _setting(
        0, _whole(0), "threads of one recognition; 0: the cores, shared by all that recognise on the host"
    )
    whisper_memory_bytes: int = _setting(
        0, _whole(0), "memory that a model and its work may take, bytes; 0: what is free when it loads"
    )
    chunk_s: float = _setting(90.0, _from(10), "longest piece of sound that is recognised at once, seconds")
    chunk_window: int = _setting(3, _whole(1), "most pieces of one job that are in the broker at once")
    embedding_model: str = _setting(
        "sentence-transformers/all-MiniLM-L6-v2", _text, "embedder: hub name, folder, or 'packaged'"
    )
    workers_io: Pool = _setting(Pool(1, 2), _pool, "processes×threads for downloads")
    workers_media: Pool = _setting(Pool(1, 1), _pool, "processes×threads for audio and chunk planning")
    workers_asr: Pool = _setting(
        Pool(1, 2), _pool, "processes×threads for recognition; a process loads the model once"
    )
    workers_light: Pool = _setting(Pool(1, 1), _pool, "processes×threads for segments, embeddings, index")
    downloads_per_source: int = _setting(2, _whole(1), "most downloads at once from one host, by all workers")
    download_spacing_s: float = _setting(
        2.0, _from_zero, "seconds between two starts of downloads from one host; loopback needs none"
    )
    source_probe_s: float = _setting(
        300.0, _positive, "seconds before a host that refuses us is tried again; twice as long each time"
    )
    recognisers_per_host: int = _setting(
        0, _whole(0), "most recognisers at once of one SERVER_NAME; 0: as WORKERS_ASR says"
    )
    retry_delays_s: tuple[float, ...] = _setting((10.0, 30.0, 60.0), _numbers, "seconds before each retry")
    lease_s: float = _setting(60.0, _positive, "seconds after which a silent worker counts as dead")
    poll_s: float = _setting(2.0, _positive, "seconds between looks at the database for due work")
    retention_days: float = _setting(90.0, _positive, "days that ended jobs, events and messages are kept")
    housekeeping_interval_s: float = _setting(3600.0, _positive, "seconds between two clean-ups of old data")
    shutdown_timeout_s: float = _setting(60.0, _positive, "seconds that a stop may take")
    allowed_sources: tuple[str, ...] = _setting(
        YOUTUBE_HOSTS, _names, "hosts that videos may come from, by name; inside a network by number"
    )
    max_duration_s: float = _setting(6 * 3600.0, _positive, "longest video taken, seconds")
    max_download_bytes: int = _setting(4 * 1024**3, _whole(1), "largest file taken, bytes")
    min_free_bytes: int = _setting(
        512 * 1024**2, _whole(0), "space left on a disk below which jobs are refused and wait, bytes"
    )
    cookies_file: str = _setting("", _text, "cookies for the downloader, Netscape format")
    proxy: str = _setting("", _text, "proxy of the downloader")
    requests_per_minute: int = _setting(600, _whole(0), "requests a minute that a key may make; 0: no limit")
    event_listeners: int = _setting(300, _whole(1), "most listeners to events of one API process")
    event_stream_s: float = _setting(
        3600.0, _positive, "seconds after which a listener to events has to connect again"
    )
    webhook_delays_s: tuple[float, ...] = _setting(
        (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0), _numbers, "seconds before each further try of a webhook"
    )
    webhook_pause_after: int = _setting(20, _whole(1), "failed tries in a row that pause a webhook")
    webhook_private_addresses: bool = _setting(
        False, _switch, "let webhooks lead to http and to addresses that are not on the internet"
    )
    webhook_proxy: str = _setting(
        "",
        _text,
        "http:// or socks5:// proxy of webhooks, which has to refuse addresses of the inside itself",
    )
    dashboard_title: str = _setting("youtube-rag", _text, "what the dashboard is called")
    dashboard_refresh_s: float = _setting(
        2.0, _from_zero, "seconds between refreshes of the dashboard; 0: none"
    )
    grafana_url: str = _setting("", _text, "Grafana's address, for the dashboard's link; empty: no link")
    read_only: bool = _setting(False, _switch, "let the dashboard show and change nothing")
    auto_migrate: bool = _setting(True, _switch, "bring the database up to date at the start")
    log_format: str = _setting("text", _one_of("text", "json"), "how log lines look")
    stage_time_limits_s: Mapping[str, float] = field(
        default_factory=dict,
        metadata={"about": "STAGE_TIME_LIMIT_<STAGE>_S: longest run of a stage, seconds"},
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read the settings; InvalidSetting names the first wrong one, what it held and what it may hold.

        YTRAG_<NAME>_FILE names a file that holds the setting, as secrets are handed to containers and units.
        """
        environ = dict(environ) | _from_files({setting.name.upper() for setting in fields(cls)}, environ)
        values = {
            setting.name: _read(setting.name, setting.metadata["read"], environ)
            for setting in fields(cls)
            if "read" in setting.metadata and environ.get(PREFIX + setting.name.upper(), "") != ""
        }
        found = cls(**values, stage_time_limits_s=_time_limits(environ))
        if found.env == "production":
            for name in ("database_url", "broker_url"):
                _refuse_default_password(name, getattr(found, name))
        return found

    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ytrag.db'}"

    def storage(self) -> str:
        """The file storage's URL."""
        return self.storage_url or (self.data_dir / "files").absolute().as_uri()

    def name(self) -> str:
        """This server's name."""
        return self.server_name or socket.gethostname()

    def address(self) -> str:
        """The API's address for links, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def pools(self) -> dict[str, Pool]:
        """The workers of each class of stages."""
        return {
            "io": self.workers_io,
            "media": self.workers_media,
            "asr": self.workers_asr,
            "light": self.workers_light,
        }

    def http_threads(self) -> int:
        """Threads of the API: for requests, for listeners, and one to turn a listener away."""
        return HTTP_THREADS + self.event_listeners + 1

    def is_open(self) -> bool:
        """Whether no key is asked for: only in development, bound to loopback."""
        return self.env == "development" and self.host in LOOPBACK


def _from_files(names: Collection[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that stand in files, without the line's end."""
    found = {}
    for name in names:
        variable, holder = PREFIX + name, f"{PREFIX}{name}_FILE"
        if not (path := environ.get(holder)):
            continue
        if environ.get(variable):
            raise InvalidSetting(f"{variable} and {holder} are both set; give one of them.")
        try:
            found[variable] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text"
            raise InvalidSetting(f"{holder} is {path!r}, which cannot be read: {reason}.") from None
    return found


def _read(name: str, read: Callable[[str], Any], environ: Mapping[str, str]) -> Any:
    variable = PREFIX + name.upper()
    try:
        return read(environ[variable])
    except (ValueError, KeyError):
        raise InvalidSetting(f"{variable} is {environ[variable]!r}; it may be {read.__doc__}.") from None


def _refuse_default_password(name: str, url: str) -> None:
    """InvalidSetting where a server's URL has no password, or one that everybody tries first."""
    parts = urlsplit(url)
    if parts.hostname and (unquote(parts.password or "").lower() in DEFAULT_PASSWORDS | {parts.username}):
        raise InvalidSetting(
            f"{PREFIX}{name.upper()} has no password or a default one, which production refuses; "
            f"it may be {parts.scheme}://user:password@host with a password of its own."
        )


def _time_limits(environ: Mapping[str, str]) -> dict[str, float]:
    limits = {}
    for variable in environ:
        named = re.fullmatch(f"{PREFIX}STAGE_TIME_LIMIT_(.+)_S", variable)
        if named:
            limits[named[1].lower()] = _read(variable[len(PREFIX) :], _positive, environ)
            if named[1].lower() not in TIMED:
                value, may = environ[variable], ", ".join(TIMED)
                raise InvalidSetting(f"{variable} is {value!r}, but its stage may be one of {may}.")
    return limits


_current: Config | None = None


def current() -> Config:
    """This process's settings: those given to use(), else the environment's."""
    return _current or use(Config.from_env())


def use(config: Config) -> Config:
    """Make these the process's settings."""
    global _current
    _current = config
    return config
