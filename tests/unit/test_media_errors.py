"""What yt-dlp raises, as its own classes, and which of our errors it becomes."""

import errno
import io

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError, IncompleteRead, ProxyError, TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnavailableVideoError, UserNotLive

from app.engines.media_errors import translate
from app.errors import (
    DownloadFailed,
    LiveVideo,
    OutOfSpace,
    SourceUnreachable,
    StageError,
    TooLarge,
    TooLong,
    UnsupportedUrl,
    VideoUnavailable,
)


def http_error(status: int) -> HTTPError:
    return HTTPError(Response(io.BytesIO(), "http://media.example.org/", {}, status=status))


def extractor_error(sentence: str) -> ExtractorError:
    return ExtractorError(sentence, expected=True, video_id="jNQXAC9IVRw", ie="youtube")


@pytest.mark.parametrize(
    ("sentence", "error"),
    [
        ("Private video. Sign in if you've been granted access to this video.", VideoUnavailable),
        ("Video unavailable. This video has been removed by the uploader", VideoUnavailable),
        ("This video is no longer available because the account has been terminated.", VideoUnavailable),
        ("Join this channel to get access to members-only content", VideoUnavailable),
        ("This video requires payment to watch", VideoUnavailable),
        ("A reason that no one has thought of", VideoUnavailable),
        ("This live event will begin in 2 days.", LiveVideo),
        ("Premieres in 3 hours", LiveVideo),
        ("Sign in to confirm you're not a bot.", DownloadFailed),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", DownloadFailed),
        ("Requested format is not available. Use --list-formats for a list", DownloadFailed),
        ("Video unavailable. The current session has been rate-limited by YouTube", SourceUnreachable),
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
        (http_error(403), DownloadFailed),
        (http_error(429), SourceUnreachable),
        (http_error(502), SourceUnreachable),
        (TransportError("Name or service not known"), SourceUnreachable),
        (IncompleteRead(10, 90), SourceUnreachable),
        (ProxyError("refused"), DownloadFailed),
        (OSError(errno.ENOSPC, "No space left on device"), OutOfSpace),
        (OSError(errno.EFBIG, "File too large"), TooLarge),
        (MemoryError(), TooLarge),
        (UserNotLive(), LiveVideo),
        (
            GeoRestrictedError("The uploader has not made this video available in your country"),
            VideoUnavailable,
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
