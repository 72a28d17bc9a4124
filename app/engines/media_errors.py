"""What yt-dlp's failures mean: one table from its exceptions, statuses and sentences to our errors."""

import errno
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.errors import (
    DownloadFailed,
    LiveVideo,
    OutOfSpace,
    SourceUnreachable,
    StageError,
    TooLarge,
    UnsupportedUrl,
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
        TooLarge,
        exceptions=("MemoryError", "RecursionError"),
        sentence="What the source sent takes more memory to read than this server gives.",
    ),
    Sign(
        LiveVideo, exceptions=("UserNotLive",), words=r"live event will|premieres? (in|will)|currently live"
    ),
    Sign(
        DownloadFailed,
        exceptions=("ProxyError", "CookieLoadError"),
        words=r"not a bot|captcha|confirm your age|cookies|requested format is not available|only images",
    ),
    Sign(VideoUnavailable, statuses=(404, 410, 451), words=r"redirect loop"),
    Sign(DownloadFailed, statuses=(403,)),
    Sign(
        SourceUnreachable,
        exceptions=("TransportError", "ContentTooShortError", "TimeoutError", "ConnectionError"),
        statuses=(408, 425, 429, *range(500, 600)),
        words=r"rate-limited|giving up after|did not get any data|downloaded file is empty",
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
        words=r"looks truncated|is not a valid url",
    ),
    Sign(
        VideoUnavailable,
        exceptions=("GeoRestrictedError",),
        words=r"private|removed|terminated|copyright|payment|members|unavailable|DRM",
    ),
)
"""The first that fits counts; what none names is VideoUnavailable if yt-dlp expects it of a source."""


def translate(failure: BaseException) -> StageError:
    """Our error for what yt-dlp raised, with its sentence freed of its own advice and names."""
    causes = list(_causes(failure))
    sentence = _cleaned(str(failure)) or type(failure).__name__
    for cause in causes:
        if isinstance(cause, StageError):
            return cause
    for sign in SIGNS:
        if re.search(sign.words, sentence, re.IGNORECASE) or any(_shows(cause, sign) for cause in causes):
            return sign.error(sign.sentence or sentence)
    expected = any(getattr(cause, "expected", False) for cause in causes)
    return (VideoUnavailable if expected else DownloadFailed)(sentence)


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure and all that is behind it: yt-dlp hides the HTTP error in any of four places."""
    seen, waiting = set[int](), [failure]
    while waiting:
        error = waiting.pop(0)
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        behind = (
            (getattr(error, "exc_info", None) or (None, None))[1],
            getattr(error, "cause", None),
            error.__cause__,
            error.__context__,
        )
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
