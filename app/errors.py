"""The error tree: each error has a stable code, a sentence, and what to do next."""

from datetime import datetime
from typing import ClassVar, Literal

Policy = Literal["permanent", "retry", "wait", "operator", "slow"]
"""What follows an error of a stage: the job fails; the stage is tried again; it waits for its time; its whole
source waits for the operator; its whole source cools down."""


class YtragError(Exception):
    """Something that we refuse or fail for a reason that we can name."""

    code: ClassVar[str] = "internal_error"
    hint: ClassVar[str] = "Look into the server's log for this job; if it happens again, report it."
    retryable: ClassVar[bool] = False
    retry_after_s: int | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidSetting(YtragError):
    """A setting that stops the start; the sentence names it, what it held and what it may hold."""

    code = "invalid_setting"
    hint = "Correct the environment variable and start again."


class InvalidInput(YtragError):
    """A request that cannot be taken as it is."""

    code = "invalid_input"
    hint = "Correct the request and send it again."


class InvalidUrl(InvalidInput):
    """Not the URL of a video."""

    code = "invalid_url"
    hint = "Send a video's full address, such as https://www.youtube.com/watch?v=jNQXAC9IVRw."


class SourceNotAllowed(InvalidInput):
    """A host that this server may not download from."""

    code = "source_not_allowed"
    hint = "Use a YouTube address, or let the operator add the host to YTRAG_ALLOWED_SOURCES."


class EmptyUpload(InvalidInput):
    """An upload without a single byte."""

    code = "empty_file"
    hint = "Choose a file that holds sound or video."


class PayloadTooLarge(InvalidInput):
    """A body over the limit."""

    code = "payload_too_large"
    hint = "Send a smaller file, or let the operator raise YTRAG_MAX_DOWNLOAD_BYTES."


class IdempotencyConflict(InvalidInput):
    """An Idempotency-Key that was used for another request."""

    code = "idempotency_key_reused"
    hint = "Use a new Idempotency-Key for a new request."


class Unauthorized(YtragError):
    """No credential, or one that is not known."""

    code = "unauthorized"
    hint = "Send 'Authorization: Bearer ytrag_…' with a key made by 'ytrag keys create'."


class Forbidden(YtragError):
    """A caller who is known and may not do this."""

    code = "forbidden"
    hint = "Use a key that was made with 'ytrag keys create NAME --role admin'."


class NotFound(YtragError):
    """Nothing of that id that the caller may see."""

    code = "not_found"
    hint = "Check the id; GET /api/jobs, /api/videos and /api/schedules list what you can see."


class Conflict(YtragError):
    """Not possible in the present state."""

    code = "conflict"
    hint = "Look at the state with GET /api/jobs/{id}/status."


class SystemSchedule(Conflict):
    """A schedule of the program's own."""

    code = "system_schedule"
    hint = "It can be disabled, enabled and run, and no more than that."


class UploadGone(Conflict):
    """An uploaded file that is needed again and was deleted."""

    code = "upload_gone"
    hint = "Upload the file again."


class SearchUnavailable(YtragError):
    """The index holds vectors of another model."""

    code = "index_model_mismatch"
    hint = "Set YTRAG_EMBEDDING_MODEL back to the model that the index was made with."


class IndexUnreachable(YtragError):
    """The server of the index does not answer, or not as it should."""

    code = "index_unreachable"
    hint = "Send it again in a moment; if it lasts, look whether the server at YTRAG_INDEX_URL runs."
    retryable = True


class DatabaseUnavailable(YtragError):
    """The database does not answer."""

    code = "database_unavailable"
    hint = "Send it again in a moment; if it lasts, look whether the database runs."
    retryable = True
    retry_after_s = 5


class ManagementUnavailable(YtragError):
    """RabbitMQ's management API does not tell how deep the queues are."""

    code = "management_unavailable"
    hint = "See whether RabbitMQ and its management plug-in run, and YTRAG_BROKER_MANAGEMENT_URL names them."
    retryable = True


class StageError(YtragError):
    """A stage that could not do its work.

    blocks_source: whether other videos of the source would meet it too; where not, one stranger's link must
    not stop the source for everyone. retries_before_operator: with policy retry, after how many retries the
    policy is operator; None: never.
    """

    policy: ClassVar[Policy] = "permanent"
    blocks_source: ClassVar[bool] = False
    retries_before_operator: ClassVar[int | None] = None


class PermanentError(StageError):
    """Trying again would end the same way."""


class NoCaptions(PermanentError):
    """Captions alone were asked for, and the source has none that serve."""

    code = "no_captions"
    hint = "Submit it with mode 'auto' or 'asr' to have the speech recognised."


class TooLong(PermanentError):
    """Longer than this server takes."""

    code = "too_long"
    hint = "Cut it into parts, or let the operator raise YTRAG_MAX_DURATION_S."


class TooLarge(PermanentError):
    """Larger than this server takes."""

    code = "too_large"
    hint = "Use a smaller file, or let the operator raise YTRAG_MAX_DOWNLOAD_BYTES."


class UnsupportedMedia(PermanentError):
    """Bytes that no decoder of ours knows."""

    code = "unsupported_media"
    hint = "Send MP4, WebM, MKV, MP3, M4A, OGG, WAV or FLAC."


class NoAudio(PermanentError):
    """Pictures without sound."""

    code = "no_audio"
    hint = "Choose a file that has an audio track."


class TruncatedMedia(PermanentError):
    """Less sound than the file or its source announces."""

    code = "truncated_media"
    hint = "Get the file again; this copy is not whole."


class CorruptMedia(PermanentError):
    """A known format with bytes that cannot be decoded."""

    code = "corrupt_media"
    hint = "Get the file again, or convert it with another program."


class UnsupportedLanguage(PermanentError):
    """A language that the recogniser does not know."""

    code = "unsupported_language"
    hint = "Leave the language out, or let the operator choose another YTRAG_WHISPER_MODEL."


class SourcePaused(StageError):
    """A source that an operator wants left alone for now."""

    policy = "operator"
    code = "source_paused"
    hint = "Wait, or let an operator run 'ytrag sources resume'; the job then goes on by itself."
    retryable = True


class TransientError(StageError):
    """Trying again may help; 'retries' are spent at the times in YTRAG_RETRY_DELAYS_S."""

    policy = "retry"
    retryable = True


class SourceUnreachable(TransientError):
    """The source did not answer, or not to the end."""

    code = "source_unreachable"
    hint = "Check the network and the source, then submit the video again."


class OutOfSpace(TransientError):
    """The disk is full, or nearly so."""

    code = "no_space"
    hint = (
        "Free disk space under YTRAG_DATA_DIR; jobs that wait for it then go on, failed ones can be retried."
    )
    retry_after_s = 60


class ModelUnavailable(TransientError):
    """A model's weights could not be loaded."""

    code = "model_unavailable"
    hint = (
        "Check the way to the model hub, or set YTRAG_WHISPER_MODEL and YTRAG_EMBEDDING_MODEL to 'packaged'."
    )


class ModelTooLarge(TransientError):
    """A model for which there is not enough memory."""

    code = "model_too_large"
    hint = "Name a smaller YTRAG_WHISPER_MODEL, allow more YTRAG_WHISPER_MEMORY_BYTES, or free memory."


class TimeLimitReached(TransientError):
    """A stage that ran longer than it may."""

    code = "time_limit"
    hint = "Raise YTRAG_STAGE_TIME_LIMIT_<STAGE>_S, or use a smaller model."


class WorkerLost(TransientError):
    """The worker died or lost its lease in mid-work, each time."""

    code = "worker_lost"
    hint = "Look for a crash or a lack of memory in the worker's log, then submit the video again."


class UnexpectedError(TransientError):
    """A fault of ours."""

    code = "internal_error"


class NotNow(Exception):
    """Raised by a stage that cannot do its work yet: it comes back at the time, or sooner when let in.

    waits_for: the resource of which there is no slot; None: the time itself. because: an error's code and
    detail, where one made it wait.
    """

    def __init__(
        self, *, at: datetime, waits_for: str | None, because: tuple[str, str] | None = None
    ) -> None:
        super().__init__(f"no slot of {waits_for} before {at}")
        self.at, self.waits_for, self.because = at, waits_for, because


class WorkStopped(Exception):
    """Raised inside a stage whose job has ended, whose lease was lost or whose worker shuts down."""
