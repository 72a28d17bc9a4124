"""Turn whatever was downloaded or uploaded into the one kind of sound that the recogniser gets."""

import math
import re
import wave
from pathlib import Path

import imageio_ffmpeg

from app.engines.processes import Child
from app.errors import (
    CorruptMedia,
    NoAudio,
    OutOfSpace,
    StageError,
    TooLong,
    TruncatedMedia,
    UnexpectedError,
    UnsupportedMedia,
)
from app.values import OnProgress

SAMPLE_RATE = 16_000
DEMUXERS = "mov,matroska,mp3,ogg,wav,flac,aac,mpegts"
"""No playlist formats: an HLS or concat text named talk.mp4 would read other jobs' files."""
PROTOCOLS = "file"
"""No network: what a file names is not fetched."""

UNDECODABLE = "The file is damaged: its sound cannot be decoded."
FAILURES: tuple[tuple[str, type[StageError], str], ...] = (
    ("No space left on device", OutOfSpace, "The disk is full."),
    ("matches no streams", NoAudio, "The file has no audio track."),
    ("misdetection possible", UnsupportedMedia, "The file is neither sound nor video."),
    ("Format not on whitelist", UnsupportedMedia, "The file's format is not one that this server reads."),
    ("moov atom not found", CorruptMedia, "The file's index is missing: it is damaged or was cut off."),
    ("no decoder found", UnsupportedMedia, "The sound's codec is not one that this server decodes."),
    ("Error opening output|Error writing|Error muxing", UnexpectedError, "The sound could not be written."),
    ("Input #0", CorruptMedia, UNDECODABLE),
)
"""What ffmpeg's complaints mean, the first that fits; with none of them no format was recognised."""


def extract_audio(
    source: Path,
    target: Path,
    *,
    max_duration_s: float,
    expected_duration_s: float | None,
    on_progress: OnProgress,
) -> float:
    """Write the first audio track as a 16 kHz mono 16-bit WAV; return its duration in seconds.

    Its seconds are the video's own: a late start and gaps become silence. Raises UnsupportedMedia, NoAudio,
    CorruptMedia, TruncatedMedia, TooLong, OutOfSpace, and whatever on_progress raises, which is called at
    least every second. The target exists only after success.
    """
    if source.stat().st_size == 0:
        raise UnsupportedMedia("The file is empty.")
    partial = target.with_name(target.name + ".part")
    try:
        account = _decode(source, partial, max_duration_s, expected_duration_s, on_progress)
        duration_s = _duration(partial)
        _refuse_long(account, duration_s, max_duration_s)
        _refuse_short(source, account, duration_s, expected_duration_s, on_progress)
        on_progress(1.0)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return duration_s


class Account:
    """What ffmpeg, at loglevel verbose, tells of a file and of its work on it."""

    def __init__(self, stderr: str) -> None:
        self.stderr = stderr

    @property
    def announced_s(self) -> float | None:
        """The duration that the file gives; None where it gives none."""
        found = re.search(r"^\[info\]   Duration: (\d+):(\d\d):(\d\d\.\d+)", self.stderr, re.MULTILINE)
        return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else None

    @property
    def is_estimate(self) -> bool:
        """Whether ffmpeg guessed that duration from the bit rate."""
        return "Estimating duration from bitrate" in self.stderr

    @property
    def decoded_s(self) -> float:
        """The sound that came out of the decoder, without the silence put into gaps; infinite if not told."""
        samples = re.search(r"Input stream .*\(audio\).*decode errors \((\d+) samples\)", self.stderr)
        rate = re.search(r"Parsed_aresample.* r:(\d+)Hz ->", self.stderr)
        return int(samples[1]) / int(rate[1]) if samples and rate else math.inf

    @property
    def is_damaged(self) -> bool:
        """Whether ffmpeg met bytes that made no sense."""
        return bool(re.search(r"\[error\]|corrupt", self.stderr))


def _decode(
    source: Path, target: Path, max_duration_s: float, expected_s: float | None, on_progress: OnProgress
) -> Account:
    # aresample's async keeps the video's time; two seconds over the limit show that it is passed.
    arguments = [
        *("-map", "0:a:0", "-af", "aresample=async=1:first_pts=0", "-t", f"{max_duration_s + 2}"),
        *("-ac", "1", "-ar", str(SAMPLE_RATE), "-c:a", "pcm_s16le"),
        *("-map_metadata", "-1", "-fflags", "+bitexact", "-f", "wav", f"file:{target.absolute()}"),
    ]
    done_s = 0.0
    with _ffmpeg(source, arguments) as child:
        for line in child.lines():
            if line:
                done_s = _progress_s(line) or done_s
                continue
            account = Account(child.stderr)
            _refuse_long(account, done_s, max_duration_s)
            whole_s = account.announced_s or expected_s
            on_progress(min(1.0, done_s / whole_s) if whole_s else 0.0)
    if child.returncode:
        raise _failure(child.returncode, child.stderr)
    return Account(child.stderr)


def _ffmpeg(source: Path, arguments: list[str]) -> Child:
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-nostats", "-progress", "pipe:1"),
        *("-loglevel", "level+verbose", "-protocol_whitelist", PROTOCOLS, "-format_whitelist", DEMUXERS),
        *("-i", f"file:{source.absolute()}", "-y", *arguments),
    ]
    return Child(command, directory=source.absolute().parent)


def _progress_s(line: str) -> float | None:
    name, _, value = line.partition("=")
    return int(value) / 1e6 if name == "out_time_us" and value.isdigit() else None


def _failure(returncode: int, stderr: str) -> StageError:
    if returncode < 0:
        return UnexpectedError(f"ffmpeg was ended by signal {-returncode}.")
    for sign, error, sentence in FAILURES:
        if re.search(sign, stderr):
            return error(sentence)
    return UnsupportedMedia("The file is neither sound nor video.")


def _duration(wav: Path) -> float:
    with wave.open(str(wav), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def _refuse_long(account: Account, duration_s: float, max_duration_s: float) -> None:
    announced_s = 0.0 if account.is_estimate else account.announced_s or 0.0
    longest_s = max(duration_s, announced_s)
    if longest_s > max_duration_s:
        raise TooLong(f"The file lasts {longest_s:.1f} s or more; this server takes {max_duration_s:.1f} s.")


def _refuse_short(
    source: Path, account: Account, duration_s: float, expected_s: float | None, on_progress: OnProgress
) -> None:
    """Refuse sound of which more than 1 s and more than 2 % is missing, in the middle or at the end."""
    if not min(account.decoded_s, duration_s):
        raise CorruptMedia(UNDECODABLE)
    if account.is_damaged and _is_short(account.decoded_s, duration_s):
        raise CorruptMedia(f"Of {duration_s:.1f} s of sound only {account.decoded_s:.1f} s can be decoded.")
    # A guessed duration counts only where damage confirms it.
    announced_s = 0.0 if account.is_estimate and not account.is_damaged else account.announced_s or 0.0
    due_s = max(announced_s, expected_s or 0.0, _riff_share(source) * duration_s)
    if _is_short(duration_s, due_s) and not _plays_to(source, due_s, on_progress):
        raise TruncatedMedia(
            f"The file should hold {due_s:.1f} s of sound but holds only {duration_s:.1f} s."
        )


def _is_short(duration_s: float, due_s: float) -> bool:
    return due_s - duration_s > max(1.0, 0.02 * due_s)


def _riff_share(source: Path) -> float:
    """How many times its size a WAV file says that it has; ffmpeg takes a cut one for whole."""
    with source.open("rb") as file:
        start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF":
        return 1.0
    stated = int.from_bytes(start[4:8], "little") + 8
    streamed = stated > 0xFFFFFF00  # written before the size was known
    return 1.0 if streamed else stated / source.stat().st_size


def _plays_to(source: Path, end_s: float, on_progress: OnProgress) -> bool:
    """Whether there are pictures up to the end: then the file is whole and its sound just ends earlier."""
    reached_s = 0.0
    with _ffmpeg(source, ["-map", "0:V:0", "-c", "copy", "-f", "null", "-"]) as child:
        for line in child.lines():
            reached_s = _progress_s(line) or reached_s
            if not line:
                on_progress(1.0)
    return not _is_short(reached_s, end_s)
