"""What a video's source can answer instead of the video: part of the error tree, read with app/errors.py."""

import math
from datetime import datetime

from app.errors import PermanentError, StageError, TransientError


class UnsupportedUrl(PermanentError):
    """No video at that address."""

    code = "unsupported_url"
    hint = "Open the address in a browser and check that it shows one video."


class AddressRefused(PermanentError):
    """The source led to an address inside a network, where strangers have no business."""

    code = "address_refused"
    hint = "Send a public address; the operator can name one inside, as a number, in YTRAG_ALLOWED_SOURCES."


class VideoUnavailable(PermanentError):
    """Not there, or not to be had, for a reason that its source alone knows."""

    code = "video_unavailable"
    hint = "Open the address in a private browser window; only what plays there can be downloaded."


class VideoPrivate(VideoUnavailable):
    """For those only whom its owner has invited."""

    code = "video_private"
    hint = "Ask its owner to make it public or unlisted, or for the file, and upload that."


class VideoRemoved(VideoUnavailable):
    """Deleted, taken down, or its account closed."""

    code = "video_removed"
    hint = "Look for another copy of the video; this one does not come back."


class VideoRestricted(VideoUnavailable):
    """For members or those who pay."""

    code = "video_restricted"
    hint = "Upload the file if you have it; the operator can put a member's cookies into YTRAG_COOKIES_FILE."


class VideoProtected(VideoUnavailable):
    """Encrypted, so that only licensed players show it."""

    code = "video_protected"
    hint = "Use another copy of the video; one with DRM cannot be downloaded."


class GeoRestricted(VideoUnavailable):
    """Not shown in the country that this server speaks from."""

    code = "geo_restricted"
    hint = "Let the operator set YTRAG_PROXY to a proxy in a country where the video plays."


class ResourceLimit(PermanentError):
    """What the source sent takes more memory or processor time than a download may."""

    code = "resource_limit"
    hint = "Send the address of the media file itself instead of the page that shows it."


class NotYet(StageError):
    """Announced, or still being sent; not_before is when to look again, None where nobody knows."""

    policy = "wait"
    retryable = True
    not_before: datetime | None

    def __init__(self, detail: str, *, not_before: datetime | None = None) -> None:
        super().__init__(detail)
        self.not_before = not_before


class UpcomingVideo(NotYet):
    """A premiere or a live event that has not begun."""

    code = "upcoming_video"
    hint = "Nothing is to be done before its time; should the job have failed, submit the video again then."


class LiveVideo(NotYet):
    """A stream that is not over yet."""

    code = "live_video"
    hint = "Wait for the end of the stream; should the job have failed, submit the video again then."


class SourceRateLimited(StageError):
    """The source wants fewer requests; retry_after_s is how long it asked to be left alone, if it said."""

    policy = "slow"
    retryable = True
    code = "source_rate_limited"
    hint = "Wait; let the operator raise YTRAG_DOWNLOAD_SPACING_S or lower YTRAG_DOWNLOADS_PER_SOURCE."

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = math.ceil(retry_after_s) if retry_after_s else None


class OperatorError(StageError):
    """Nothing helps before the operator has acted."""

    policy = "operator"
    retryable = True
    blocks_source = True


class BotCheck(OperatorError):
    """The source takes this server for a robot."""

    code = "bot_check"
    hint = "Put a browser's fresh cookies into YTRAG_COOKIES_FILE, or set YTRAG_PROXY to another way out."


class AgeRestricted(OperatorError):
    """Only for those who have signed in and shown their age; it holds for this video alone."""

    code = "age_restricted"
    hint = "Put cookies of an account of an adult into YTRAG_COOKIES_FILE, then retry the job."
    blocks_source = False


class CookiesRefused(OperatorError):
    """The cookie file cannot be read, or what it holds is no longer taken."""

    code = "cookies_refused"
    hint = "Export the cookies anew, in Netscape format, to YTRAG_COOKIES_FILE; 'ytrag doctor' checks them."


class ProxyFailed(OperatorError):
    """The proxy does not answer, or does not let us through."""

    code = "proxy_failed"
    hint = "Check YTRAG_PROXY and the proxy behind it; 'ytrag doctor' tries it."


class MediaForbidden(TransientError):
    """The source names a file and refuses to send it: its address was for one use, or we are not wanted."""

    code = "media_forbidden"
    hint = "Update yt-dlp ('ytrag sources update-check'); if it lasts, renew the cookies or change the proxy."
    retries_before_operator = 1
    blocks_source = True


class NoFormats(TransientError):
    """The source names a video and none of its files, which mostly means that it has changed."""

    code = "no_formats"
    hint = "Update yt-dlp ('ytrag sources update-check') and run 'ytrag doctor'."
    retries_before_operator = 2
    blocks_source = True


class DownloadFailed(TransientError):
    """The downloader gave up for a reason that we do not know."""

    code = "download_failed"
    hint = "Read the error text; update yt-dlp if YouTube has changed, then submit the video again."
