"""Where a video may come from: one form for each address, and links that open at a second."""

import math
import re
from urllib.parse import SplitResult, parse_qs, urldefrag, urlsplit, urlunsplit

from app.errors import InvalidUrl, SourceNotAllowed

YOUTUBE_DOMAINS = ("youtube.com", "youtu.be", "youtube-nocookie.com")
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}(?![A-Za-z0-9_-])")
NOT_IDS = ("videoseries", "live_stream")
"""Words of 11 letters that stand where an id could: a playlist, and whatever a channel sends now."""
CHANNEL_TABS = ("videos", "shorts", "streams")
LIST_ID = re.compile(r"[A-Za-z0-9_-]{10,64}")
ENDLESS = ("RD", "UL")
"""How the ids begin of lists that YouTube makes up for a viewer."""
COLLECTIONS = ("playlist", "channel", "c", "user", "feed", "results", "hashtag", *NOT_IDS)


def canonical_url(url: str, allowed_hosts: tuple[str, ...]) -> str:
    """Return the one address that stands for this video; InvalidUrl and SourceNotAllowed say what is wrong.

    A YouTube address is built anew from its id, in whatever form it came; any YouTube host in allowed_hosts
    allows them all. Of other hosts only those in allowed_hosts pass, letter for letter, on any port.
    """
    parts = _allowed_parts(url, allowed_hosts)
    if _is_youtube(parts.hostname or ""):
        return f"https://www.youtube.com/watch?v={_video_id(url, parts)}"
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, parts.query, ""))


def canonical_list(url: str, allowed_hosts: tuple[str, ...]) -> str:
    """Return the one address of a playlist, or of a channel's videos; errors as of canonical_url."""
    parts = _allowed_parts(url, allowed_hosts)
    if not _is_youtube(parts.hostname or ""):
        return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, parts.query, ""))
    found = _youtube_list(parts)
    if found is None:
        raise InvalidUrl(f"{url!r} is neither a playlist nor a channel.")
    return f"https://www.youtube.com/{found}"


def canonical_host(host: str) -> str:
    """The host that stands for all of its site."""
    return "www.youtube.com" if _is_youtube(host.lower()) else host.lower()


def is_youtube_list(url: str) -> bool:
    """Whether the address is that of a playlist or channel and of no single video."""
    try:
        parts = _parts(url)
    except InvalidUrl:
        return False
    is_video = "v" in parse_qs(parts.query) or parts.hostname == "youtu.be"
    return _is_youtube(parts.hostname or "") and not is_video and _youtube_list(parts) is not None


def _allowed_parts(url: str, allowed_hosts: tuple[str, ...]) -> SplitResult:
    parts = _parts(url)
    host = parts.hostname or ""
    if not any(host == allowed or (_is_youtube(host) and _is_youtube(allowed)) for allowed in allowed_hosts):
        raise SourceNotAllowed(f"This server does not download from {host}.")
    return parts


def _youtube_list(parts: SplitResult) -> str | None:
    """What stands behind the host in the canonical address of a list."""
    list_id = parse_qs(parts.query).get("list", [""])[0]
    if LIST_ID.fullmatch(list_id) and not list_id.startswith(ENDLESS):
        return f"playlist?list={list_id}"
    named = re.fullmatch(r"/(@[\w.%-]{1,100}|(?:channel|c|user)/[\w.%-]{1,100})(?:/(\w*))?/?", parts.path)
    if not named:
        return None
    return f"{named[1]}/{named[2] if named[2] in CHANNEL_TABS else 'videos'}"


def youtube_id(url: str) -> str | None:
    """The id in a canonical YouTube address; None for any other source."""
    parts = urlsplit(url)
    return parse_qs(parts.query).get("v", [None])[0] if _is_youtube(parts.hostname or "") else None


def link_at(webpage_url: str, start_s: float) -> str:
    """An address that opens at this second; outside YouTube by a W3C media fragment."""
    page = urldefrag(webpage_url).url
    if _is_youtube(urlsplit(page).hostname or ""):
        return f"{page}{'&' if '?' in page else '?'}t={math.floor(start_s)}s"
    return f"{page}#t={math.floor(start_s * 10) / 10:.1f}"


def _parts(url: str) -> SplitResult:
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port  # the port is parsed, and refused, only when asked for
    except ValueError:
        raise InvalidUrl(f"{url!r} is not a web address.") from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise InvalidUrl(f"{url!r} is not a web address; it must start with http:// or https:// and a host.")
    if "@" in parts.netloc:
        raise InvalidUrl("The address holds a user name or password; send it without them.")
    return parts


def _is_youtube(host: str) -> bool:
    return any(host == domain or host.endswith("." + domain) for domain in YOUTUBE_DOMAINS)


def _video_id(url: str, parts: SplitResult) -> str:
    steps = [step for step in parts.path.split("/") if step]
    query = parse_qs(parts.query)
    if parts.hostname == "youtu.be":
        candidate = steps[0] if steps else ""
    elif len(steps) > 1 and steps[0] in ("shorts", "embed", "live", "v", "e"):
        candidate = steps[1]
    else:
        candidate = query.get("v", [""])[0]
    found = VIDEO_ID.match(candidate)
    if found and candidate not in NOT_IDS:
        return found[0]
    if "list" in query or any(step in COLLECTIONS or step.startswith("@") for step in steps):
        raise InvalidUrl(
            f"{url!r} is a playlist or a channel, which POST /api/batches takes; one video is expected."
        )
    raise InvalidUrl(f"{url!r} does not hold the 11-character id of a YouTube video.")
