"""What 'ytrag doctor' looks at of the way to the sources: downloader, runtime, cookies, proxy, pace."""

import base64
import http.client
import socket
from dataclasses import dataclass
from http.cookiejar import LoadError, MozillaCookieJar
from urllib.parse import SplitResult, unquote, urlsplit

from app import clock
from app.config import YOUTUBE_HOSTS, Config
from app.engines import downloader
from app.engines.sources import canonical_host

PROXY_TIMEOUT_S = 10
PROXY_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
LEAST_SPACING_S, MOST_AT_ONCE = 1.0, 4
"""Beyond these YouTube is known to take a server for a robot."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; to_do is empty where all is well."""

    name: str
    ok: bool
    found: str
    to_do: str = ""


def check_downloader(_config: Config) -> Check:
    """The age of yt-dlp."""
    release = downloader.installed()
    old = release.age_days > downloader.OLD_DAYS
    to_do = f"Update it, for YouTube changes often: {downloader.UPDATE}" if old else ""
    return Check("yt-dlp", not old, f"{release.version}, {release.age_days} days old", to_do)


def check_runtime(_config: Config) -> Check:
    """The JavaScript runtime and yt-dlp's programs for it, by the versions that yt-dlp asks for."""
    name, install = "JavaScript runtime", f"{downloader.UPDATE} deno"
    found = downloader.runtime()
    if found is None:
        return Check(name, ok=False, found="deno does not run", to_do=f"Install it anew: {install}")
    to_do = "" if found.suffices else f"yt-dlp asks for deno {found.least} or newer: {install}"
    return Check(name, found.suffices, f"deno {found.version}, yt-dlp-ejs {found.scripts}", to_do)


def check_cookies(config: Config) -> Check:
    """The cookie file: readable, in Netscape format, with cookies that have not run out."""
    if not config.cookies_file:
        return Check("cookies", ok=True, found="none; only a bot check or an age limit asks for them")
    jar = MozillaCookieJar(config.cookies_file)
    export = f"Export a browser's cookies in Netscape format to {config.cookies_file}"
    try:
        jar.load(ignore_discard=True, ignore_expires=True)
    except LoadError:
        return Check("cookies", ok=False, found="not in Netscape format", to_do=f"{export}.")
    except OSError as error:
        to_do = f"{export}, and let this user read it."
        return Check("cookies", ok=False, found=f"cannot be read: {error.strerror}", to_do=to_do)
    except UnicodeDecodeError:
        return Check("cookies", ok=False, found="not a text", to_do=f"{export}.")
    now = clock.now().timestamp()
    alive = [cookie for cookie in jar if not cookie.expires or cookie.expires > now]
    ours = [cookie for cookie in alive if "youtube.com" in cookie.domain or "google.com" in cookie.domain]
    found = f"{len(alive)} of {len(jar)} still hold, {len(ours)} of them for YouTube"
    to_do = "" if alive and (ours or not _takes_youtube(config)) else f"{export}, signed in to YouTube."
    return Check("cookies", not to_do, found, to_do)


def check_proxy(config: Config) -> Check:
    """Whether the proxy answers and lets us through; its password is not shown."""
    if not config.proxy:
        return Check("proxy", ok=True, found="none; downloads go out directly")
    try:
        parts = urlsplit(config.proxy)
        port = parts.port or PROXY_PORTS[parts.scheme]
    except (KeyError, ValueError):
        to_do = "Set YTRAG_PROXY to http://host:port or socks5h://host:port."
        return Check("proxy", ok=False, found="not the address of a proxy", to_do=to_do)
    where = f"{parts.scheme}://{parts.hostname}:{port}"
    try:
        _go_through(parts, port, next(iter(config.allowed_sources), YOUTUBE_HOSTS[0]))
    except (OSError, http.client.HTTPException) as error:
        to_do = "Check YTRAG_PROXY (host, port, user, password), and what the proxy allows this machine."
        return Check("proxy", ok=False, found=f"{where}: {error}", to_do=to_do)
    return Check("proxy", ok=True, found=f"{where} lets us through")


def _go_through(parts: SplitResult, port: int, host: str) -> None:
    """Open a tunnel to the host, as a download would; other proxies than http are only connected to."""
    if parts.scheme != "http":
        socket.create_connection((parts.hostname or "", port), PROXY_TIMEOUT_S).close()
        return
    headers = {}
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    way = http.client.HTTPConnection(parts.hostname or "", port, timeout=PROXY_TIMEOUT_S)
    way.set_tunnel(host, 443, headers)
    try:
        way.connect()
    finally:
        way.close()


def check_pace(config: Config) -> Check:
    """The sleep between downloads from one host, and how many run at once."""
    spacing_s, at_once = config.download_spacing_s, config.downloads_per_source
    found = f"{spacing_s:g} s between starts, {at_once} at once from one host"
    to_do = []
    if _takes_youtube(config) and spacing_s < LEAST_SPACING_S:
        to_do.append(f"Set YTRAG_DOWNLOAD_SPACING_S to {LEAST_SPACING_S:g} or more.")
    if _takes_youtube(config) and at_once > MOST_AT_ONCE:
        to_do.append(f"Set YTRAG_DOWNLOADS_PER_SOURCE to {MOST_AT_ONCE} or less.")
    if to_do:
        to_do.append("YouTube takes servers in a hurry for robots.")
    return Check("pace", not to_do, found, " ".join(to_do))


def _takes_youtube(config: Config) -> bool:
    return any(canonical_host(host) == canonical_host(YOUTUBE_HOSTS[0]) for host in config.allowed_sources)
