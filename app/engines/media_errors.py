"""What yt-dlp's failures mean: one table from its exceptions, statuses and sentences to our errors."""

import errno
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import CorruptMedia, OutOfSpace, SourceUnreachable, StageError, TooLarge
from app.source_errors import (
    AgeRestricted,
    BotCheck,
    CookiesRefused,
    DownloadFailed,
    GeoRestricted,
    LiveVideo,
    MediaForbidden,
    NoFormats,
    ProxyFailed,
    ResourceLimit,
    SourceRateLimited,
    UnsupportedUrl,
    UpcomingVideo,
    VideoPrivate,
    VideoProtected,
    VideoRemoved,
    VideoRestricted,
    VideoUnavailable,
)


@dataclass(frozen=True)
class Sign:
    """What tells one of our errors: any of these, in the failure or in what caused it.

    `exceptions` are names of classes, subclasses included; `words` a pattern for yt-dlp's sentence;
    `sentence` stands instead of yt-dlp's where that would name files of this server or say too little.
    """

    error: type[StageError]
    exceptions: Collection[str] = ()
    statuses: Collection[int] = ()
    errnos: Collection[int] = ()
    words: str = r"(?!)"
    sentence: str | None = None


SIGNS = (
    Sign(OutOfSpace, errnos=(errno.ENOSPC, errno.EDQUOT), sentence="The disk is full."),
    Sign(TooLarge, errnos=(errno.EFBIG,), sentence="The file is larger than this server takes."),
    Sign(
        ResourceLimit,
        exceptions=("MemoryError", "RecursionError"),
        sentence="What the source sent takes more memory to read than this server gives.",
    ),
    Sign(UpcomingVideo, words=r"live event will begin|premieres in|premiere will begin"),
    Sign(LiveVideo, exceptions=("UserNotLive",), words=r"currently live"),
    Sign(BotCheck, words=r"not a bot|captcha|unusual traffic|IP is likely being blocked"),
    Sign(AgeRestricted, words=r"confirm your age|age.restricted|inappropriate for some users"),
    Sign(CookiesRefused, exceptions=("CookieLoadError",), words=r"cookies are no longer valid"),
    Sign(ProxyFailed, exceptions=("ProxyError",)),
    Sign(SourceRateLimited, statuses=(429,), words=r"rate-limited|too many requests|HTTP Error 429"),
    Sign(
        GeoRestricted,
        exceptions=("GeoRestrictedError",),
        words=r"in your (country|location)|from your location",
    ),
    Sign(VideoPrivate, words=r"private"),
    Sign(VideoRestricted, words=r"members|payment|purchase|premium"),
    Sign(VideoProtected, words=r"\bDRM\b"),
    Sign(VideoRemoved, words=r"removed|terminated|copyright|no longer available|deleted"),
    Sign(VideoUnavailable, statuses=(404, 410, 451)),
    Sign(MediaForbidden, statuses=(403,), words=r"HTTP Error 403"),
    Sign(
        NoFormats,
        words=r"requested format is not available|only images|no video formats|any player response",
    ),
    Sign(
        SourceUnreachable,
        exceptions=("TransportError", "ContentTooShortError", "TimeoutError", "ConnectionError"),
        statuses=(408, 425, *range(500, 600)),
        words=r"giving up after|did not get any data|downloaded file is empty|HTTP Error 5\d\d",
    ),
    Sign(
        UnsupportedUrl,
        exceptions=("UnsupportedError",),
        words=r"no suitable extractor",
        sentence="No video was found at that address.",
    ),
    Sign(
        UnsupportedUrl,
        exceptions=("UnsupportedRequest", "NoSupportingHandlers", "_UnsafeExtensionError"),
        words=r"looks truncated|is not a valid url|redirect loop",
    ),
    Sign(CorruptMedia, exceptions=("PostProcessingError",)),
    Sign(VideoUnavailable, words=r"unavailable|not available"),
)
"""The first that fits counts; what none names is VideoUnavailable if yt-dlp expects it of a source."""
VAGUE = (NoFormats, DownloadFailed)
"""Errors of which the warnings before them may know more: a refused player is only warned of."""


def translate(failure: BaseException, warnings: Iterable[str] = ()) -> StageError:
    """Our error for what yt-dlp raised, with its sentence freed of its own advice and names."""
    error = _named(_cleaned(str(failure)) or type(failure).__name__, list(_causes(failure)))
    if isinstance(error, VAGUE):
        told = [_named(_cleaned(warning), []) for warning in warnings]
        return next((better for better in told if not isinstance(better, VAGUE)), error)
    return error


def _named(sentence: str, causes: list[BaseException]) -> StageError:
    for cause in causes:
        if isinstance(cause, StageError):
            return cause
    for sign in SIGNS:
        if re.search(sign.words, sentence, re.IGNORECASE) or any(_shows(cause, sign) for cause in causes):
            if sign.error is SourceRateLimited:
                return SourceRateLimited(sentence, retry_after_s=_retry_after_s(causes))
            return sign.error(sign.sentence or sentence)
    expected = any(getattr(cause, "expected", False) for cause in causes)
    return (VideoUnavailable if expected else DownloadFailed)(sentence)


def _retry_after_s(causes: list[BaseException]) -> float | None:
    """How long the source asked to be left alone; a date in its place is not read: nobody sends it."""
    answers = [getattr(cause, "response", None) for cause in causes]
    told = [answer.headers.get("Retry-After") or "" for answer in answers if answer is not None]
    return next((float(seconds) for seconds in told if seconds.isdecimal()), None)


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure and all that is behind it: yt-dlp hides the HTTP error in any of four places."""
    seen, waiting = set[int](), [failure]
    while waiting:
        error = waiting.pop(0)
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        behind: tuple[Any, ...] = (
            (getattr(error, "exc_info", None) or (None, None))[1],
            getattr(error, "cause", None),
            error.__cause__,
            error.__context__,
        )
        behind += tuple(getattr(error, "unexpected_errors", ()))
        waiting += [cause for cause in behind if isinstance(cause, BaseException)]


def _shows(cause: BaseException, sign: Sign) -> bool:
    return (
        any(kind.__name__ in sign.exceptions for kind in type(cause).__mro__)
        or getattr(cause, "status", None) in sign.statuses
        or getattr(cause, "errno", None) in sign.errnos
    )


def _cleaned(message: str) -> str:
    for noise in (
        r"\x1b\[[\d;]*m",
        r"^\s*ERROR:\s*",
        r"^\[[\w:+.-]+\] (?:[^\s:]+: )?",
        r"Got error: ",
        r" \(caused by .*",
        r"[;,.]? ?please report this issue .*",
        r"\.? If you believe this is an error.*",
        r" Use --.*",
    ):
        message = re.sub(noise, "", message, flags=re.DOTALL)
    return " ".join(message.split())[:500]
