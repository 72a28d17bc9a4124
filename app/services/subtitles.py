"""A transcript in the forms that people and programs read."""

from collections.abc import Callable, Sequence

from app.models.videos import Segment
from app.values import Sentence


def sentences_of(segments: Sequence[Segment]) -> list[Sentence]:
    """The sentences that nothing speaks against, in their order."""
    return [Sentence(*row) for segment in segments if not segment.doubt for row in segment.sentences]


def with_doubts(segments: Sequence[Segment]) -> list[dict[str, object]]:
    """All sentences in their order, each with what speaks against its having been said."""
    return [
        {"text": text, "start_s": start_s, "end_s": end_s, "doubt": segment.doubt}
        for segment in segments
        for text, start_s, end_s in segment.sentences
    ]


def to_txt(sentences: Sequence[Sentence]) -> str:
    """One sentence a line."""
    return "".join(f"{sentence.text}\n" for sentence in sentences)


def to_srt(sentences: Sequence[Sentence]) -> str:
    """SubRip: a numbered cue a sentence."""
    cues = [
        f"{number}\n{_at(s.start_s, ',')} --> {_at(s.end_s, ',')}\n{s.text}\n"
        for number, s in enumerate(sentences, start=1)
    ]
    return "\n".join(cues)


def to_vtt(sentences: Sequence[Sentence]) -> str:
    """WebVTT (W3C): a cue a sentence, markup escaped."""
    cues = [f"\n{_at(s.start_s, '.')} --> {_at(s.end_s, '.')}\n{_escaped(s.text)}\n" for s in sentences]
    return "WEBVTT\n" + "".join(cues)


FORMATS: dict[str, tuple[Callable[[Sequence[Sentence]], str], str]] = {
    "txt": (to_txt, "text/plain; charset=utf-8"),
    "srt": (to_srt, "application/x-subrip; charset=utf-8"),
    "vtt": (to_vtt, "text/vtt; charset=utf-8"),
}
"""The writer and the media type of each form beside JSON."""


def _at(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
