"""What yt-dlp raises, as its own classes, and which of our errors it becomes."""

import errno
import io

import pytest
from yt_dlp.cookies import CookieLoadError
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError, IncompleteRead, ProxyError, TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnavailableVideoError, UserNotLive

from app.engines.media_errors import translate
from app.errors import OutOfSpace, SourceUnreachable, StageError, TooLarge, TooLong
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


def http_error(status: int) -> HTTPError:
    return HTTPError(Response(io.BytesIO(), "http://media.example.org/", {}, status=status))


def extractor_error(sentence: str) -> ExtractorError:
    return ExtractorError(sentence, expected=True, video_id="jNQXAC9IVRw", ie="youtube")


@pytest.mark.parametrize(
    ("sentence", "error"),
    [
        (
            "Private video. Sign in if you've been granted access to this video. Use --cookies-from",
            VideoPrivate,
        ),
        ("Video unavailable. This video is private", VideoPrivate),
        ("Video unavailable. This video has been removed by the uploader", VideoRemoved),
        ("This video is no longer available because the account has been terminated.", VideoRemoved),
        ("Video unavailable. This video is no longer available due to a copyright claim by A", VideoRemoved),
        (
            "This video contains content from A, who has blocked it in your country on copyright",
            GeoRestricted,
        ),
        ("Join this channel to get access to members-only content", VideoRestricted),
        ("This video requires payment to watch", VideoRestricted),
        ("This video is DRM protected", VideoProtected),
        ("Video unavailable", VideoUnavailable),
        ("A reason that no one has thought of", VideoUnavailable),
        ("This live event will begin in 2 days.", UpcomingVideo),
        ("Premieres in 3 hours", UpcomingVideo),
        ("Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies", BotCheck),
        ("Please watch it. YouTube is requiring a captcha challenge before playback", BotCheck),
        ("All player responses are invalid. Your IP is likely being blocked by Youtube", BotCheck),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", AgeRestricted),
        ("Requested format is not available. Use --list-formats for a list", NoFormats),
        ("Video unavailable. The current session has been rate-limited by YouTube", SourceRateLimited),
        ("Incomplete YouTube ID jNQXAC9. URL looks truncated.", UnsupportedUrl),
    ],
)
def test_a_sentence_of_youtube_becomes_its_error(sentence: str, error: type[StageError]) -> None:
    failure = DownloadError(f"ERROR: [youtube] jNQXAC9IVRw: {sentence}")
    failure.exc_info = (ExtractorError, extractor_error(sentence), None)

    assert type(translate(failure)) is error


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (http_error(404), VideoUnavailable),
        (http_error(451), VideoUnavailable),
        (http_error(403), MediaForbidden),
        (http_error(429), SourceRateLimited),
        (http_error(502), SourceUnreachable),
        (TransportError("Name or service not known"), SourceUnreachable),
        (IncompleteRead(10, 90), SourceUnreachable),
        (ProxyError("refused"), ProxyFailed),
        (CookieLoadError("no cookies"), CookiesRefused),
        (OSError(errno.ENOSPC, "No space left on device"), OutOfSpace),
        (OSError(errno.EFBIG, "File too large"), TooLarge),
        (MemoryError(), ResourceLimit),
        (RecursionError(), ResourceLimit),
        (UserNotLive(), LiveVideo),
        (
            GeoRestrictedError("The uploader has not made this video available in your country"),
            GeoRestricted,
        ),
        (TooLong("It lasts 90 s."), TooLong),
    ],
)
@pytest.mark.parametrize("hidden", ["exc_info", "cause", "__cause__", "__context__"])
def test_a_cause_is_found_wherever_yt_dlp_hides_it(
    cause: Exception, error: type[StageError], hidden: str
) -> None:
    middle = UnavailableVideoError("outer")
    setattr(middle, hidden, (type(cause), cause, None) if hidden == "exc_info" else cause)
    failure = DownloadError("ERROR: it did not work", (UnavailableVideoError, middle, None))

    assert type(translate(failure)) is error


def test_a_failure_that_nothing_names_may_pass_and_keeps_its_sentence() -> None:
    error = translate(DownloadError("ERROR: the moon is in the wrong place"))

    assert isinstance(error, DownloadFailed)
    assert error.detail == "the moon is in the wrong place"


def test_a_sentence_is_freed_of_what_speaks_to_users_of_a_command_line() -> None:
    expected = extractor_error("Unable to download webpage: HTTP Error 404: Not Found")
    bug = ExtractorError("Unable to extract title", ie="generic", cause=KeyError("title"))

    assert translate(expected).detail == "Unable to download webpage: HTTP Error 404: Not Found"
    assert translate(bug).detail == "Unable to extract title"


def test_a_full_disk_is_told_without_the_names_of_files() -> None:
    failure = OSError(errno.ENOSPC, "No space left on device", "/srv/ytrag/jobs/1/media.mp4.part")

    assert translate(failure).detail == "The disk is full."


@pytest.mark.parametrize(
    ("warning", "error"),
    [
        (
            "[youtube] Unable to download API page: HTTP Error 429: Too Many Requests (caused by …)",
            SourceRateLimited,
        ),
        ("[youtube] abc: Unable to download API page: HTTP Error 403: Forbidden", MediaForbidden),
        ("[youtube] Unable to download API page: HTTP Error 503: Service Unavailable", SourceUnreachable),
        ("[youtube] Sign in to confirm you’re not a bot", BotCheck),
        ("[youtube] Some formats may be missing", NoFormats),
    ],
)
def test_a_warning_tells_what_a_vague_failure_hides(warning: str, error: type[StageError]) -> None:
    vague = ExtractorError("Failed to extract any player response", ie="youtube")
    clear = extractor_error("Private video")

    assert type(translate(vague, ["something else", warning])) is error
    assert type(translate(clear, [warning])) is VideoPrivate


def test_how_long_a_source_wants_to_be_left_alone_is_kept() -> None:
    answer = Response(io.BytesIO(), "http://media.example.org/", {"Retry-After": "120"}, status=429)

    error = translate(DownloadError("ERROR: no", (HTTPError, HTTPError(answer), None)))

    assert isinstance(error, SourceRateLimited)
    assert error.retry_after_s == 120
