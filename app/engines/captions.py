"""Captions as transcripts: which track says what is said in the video, and its words with their times."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from app.errors import NoCaptions, YtragError

MAX_BYTES = 16 * 1024**2
LONGEST_GAP_S, LONGEST_GAP = 60.0, 0.2
"""A track may leave out this many seconds, or this share of the video, at a time; else it is not whole."""
SLACK_S = 10.0
"""A track may end so much later than the video."""
LONGEST_WORD_S = 2.0
FORMATS = ("json3", "vtt", "srt")
NOT_SPEECH = ("live_chat", "rechat", "danmaku", "comments")

Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Track:
    """One track that the source offers: whose it is (owner or auto), its language, an address a format."""

    kind: str
    language: str
    urls: dict[str, str]

    @property
    def source(self) -> str:
        """What a transcript made of it is said to come from."""
        return f"captions:{self.kind}:{self.language}"


@dataclass(frozen=True)
class Piece:
    """A text that is shown, and when, seconds: a whole line, or one word where the track says so much."""

    text: str
    start_s: float
    end_s: float


def find(found: dict[str, Any], *, mode: str, language: str | None, fetch: Fetch) -> dict[str, Any] | None:
    """What the best track says, as plain JSON values; None where the recogniser has to answer.

    found: what yt-dlp tells of the video. auto: the owner's tracks only, and what is missing, refused or not
    whole counts as none. captions: also the source's own recognition; NoCaptions where there is none.
    """
    if mode == "asr":
        return None
    for track in _tracks(found, language, automatic=mode == "captions"):
        try:
            pieces = _clipped(_read(track, fetch))
        except YtragError:
            raise
        except Exception:
            if mode == "captions":
                raise
            continue
        if _is_whole(pieces, found.get("duration")):
            words = [word for piece in pieces for word in _words(piece)]
            return {"source": track.source, "language": _base(track.language), "words": words}
    if mode == "captions":
        spoken = f" in {language!r}" if language else ""
        raise NoCaptions(f"The source offers no captions{spoken} that cover the whole video.")
    return None


def _tracks(found: dict[str, Any], language: str | None, *, automatic: bool) -> Iterator[Track]:
    """Tracks in the language of the speech, the owner's first; a translation is not what was said."""
    own = _offered(found.get("subtitles"), "owner")
    # Of the automatic ones only these are what was heard; the others are translated by machine.
    heard = [
        Track("auto", track.language.removesuffix("-orig"), track.urls)
        for track in _offered(found.get("automatic_captions"), "auto")
        if track.language.endswith("-orig")
    ]
    spoken = language or found.get("language") or (heard[0].language if heard else None)
    if spoken is None:
        yield from own if len(own) == 1 else ()
        return
    for track in own + (heard if automatic else []):
        if _base(track.language) == _base(spoken):
            yield track


def _offered(tracks: dict[str, list[dict[str, Any]]] | None, kind: str) -> list[Track]:
    found = []
    for language, formats in sorted((tracks or {}).items()):
        urls = {one["ext"]: one["url"] for one in formats if one.get("url") and one.get("ext") in FORMATS}
        if urls and language not in NOT_SPEECH:
            found.append(Track(kind, language, urls))
    return found


def _base(language: str) -> str:
    return re.split("[-_]", language)[0].lower()


def _read(track: Track, fetch: Fetch) -> list[Piece]:
    for form in FORMATS:
        # Automatic VTT repeats each line while it rolls up.
        if form in track.urls and not (track.kind == "auto" and form != "json3"):
            body = fetch(track.urls[form])
            return list(_json3(body) if form == "json3" else _cues(body))
    return []


def _json3(body: bytes) -> Iterator[Piece]:
    """YouTube's own form: events of segments; a segment with an offset of its own is one word."""
    for event in json.loads(body)["events"]:
        start_ms = event.get("tStartMs", 0)
        end_s = (start_ms + event.get("dDurationMs", 0)) / 1000
        lines: list[tuple[float, str]] = []
        for part in event.get("segs") or []:
            text, offset_ms = part.get("utf8", ""), part.get("tOffsetMs")
            if lines and offset_ms is None:
                lines[-1] = (lines[-1][0], lines[-1][1] + text)
            else:
                lines.append(((start_ms + (offset_ms or 0)) / 1000, text))
        yield from (Piece(text, start_s, end_s) for start_s, text in lines if _spoken(text))


_TIMES = re.compile(r"((?:\d+:)?\d\d:\d\d[.,]\d{3})[ \t]+-->[ \t]+((?:\d+:)?\d\d:\d\d[.,]\d{3})[^\n]*\n")


def _cues(body: bytes) -> Iterator[Piece]:
    """WebVTT and SubRip, which differ in nothing that matters here."""
    text = body.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    for block in re.split(r"\n[ \t]*\n", text):
        times = _TIMES.search(block + "\n")
        if times and _spoken(line := block[times.end() :]):
            yield Piece(line, _seconds(times[1]), _seconds(times[2]))


def _seconds(moment: str) -> float:
    whole, _, milliseconds = moment.replace(",", ".").partition(".")
    total = 0
    for part in whole.split(":"):
        total = total * 60 + int(part)
    return total + int(milliseconds) / 1000


def _spoken(text: str) -> list[str]:
    """The words of a text without mark-up, descriptions of sounds, notes of music and marks of speakers."""
    text = unescape(re.sub(r"<[^>]*>|\{\\[^}]*\}", "", text))
    text = re.sub(r"\[[^\]]*\]|[♪♫\u200b\ufeff]|^\s*(?:>>|-)|(?<=\n)\s*(?:>>|-)", " ", text)
    return text.split()


def _clipped(pieces: list[Piece]) -> list[Piece]:
    """The pieces in order, none reaching into the next, and none longer than its words can be."""
    ordered = sorted(pieces, key=lambda piece: piece.start_s)
    clipped = []
    for piece, following in zip(ordered, [*ordered[1:], None], strict=True):
        end_s = max(piece.end_s, piece.start_s)
        if following and following.start_s > piece.start_s:
            end_s = min(end_s, following.start_s)
        longest_s = LONGEST_WORD_S * len(_spoken(piece.text))
        clipped.append(Piece(piece.text, piece.start_s, min(end_s, piece.start_s + longest_s)))
    return clipped


def _is_whole(pieces: list[Piece], duration_s: float | None) -> bool:
    """Whether the track says something, and leaves no long part of the video out."""
    if not pieces:
        return False
    if not duration_s:
        return True
    ends, starts = [0.0, *(piece.end_s for piece in pieces)], [*(p.start_s for p in pieces), duration_s]
    gap_s = max(start_s - end_s for end_s, start_s in zip(ends, starts, strict=True))
    return pieces[-1].start_s < duration_s + SLACK_S and gap_s <= max(LONGEST_GAP_S, LONGEST_GAP * duration_s)


def _words(piece: Piece) -> list[tuple[str, float, float]]:
    """A line's words, each with the share of the line's time that its letters have in the line's."""
    words = _spoken(piece.text)
    letters, length_s = sum(map(len, words)), piece.end_s - piece.start_s
    timed, before = [], 0
    for word in words:
        start_s = piece.start_s + length_s * before / letters
        before += len(word)
        timed.append((word, start_s, piece.start_s + length_s * before / letters))
    return timed
