"""How values look on a page."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from app import clock

STAGES = {
    "download": "Download",
    "extract_audio": "Take the sound out",
    "transcribe": "Recognise the speech",
    "segment": "Cut into passages",
    "embed": "Learn what they mean",
    "index": "Make it searchable",
}
UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def at(seconds: float) -> str:
    """A moment of a video: 1:24, or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def span(seconds: float) -> str:
    """A length of time in its largest unit: 3 minutes."""
    size, name = next((unit for unit in UNITS if seconds >= unit[0]), UNITS[-1])
    count = max(0, round(seconds / size))
    return f"{count} {name}{'' if count == 1 else 's'}"


def ago(moment: datetime | None) -> str:
    """How long ago, or in how long: 3 minutes ago."""
    if moment is None:
        return ""
    seconds = (clock.now() - moment).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def web_address(url: str | None) -> str:
    """The URL, if it is one that a browser opens as a page; else nothing."""
    return url if url and urlsplit(url).scheme in ("http", "https") else ""


def marked(text: str, spans: Sequence[tuple[int, int]]) -> Markup:
    """The text, escaped, with these parts of it marked."""
    parts, done = [], 0
    for start, end in spans:
        parts += [escape(text[done:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        done = end
    return Markup("").join([*parts, escape(text[done:])])


def job_title(name: str) -> str:
    """A job's name without what all names begin with."""
    return name.removeprefix("Process video: ")


FILTERS: dict[str, Callable[..., Any]] = {
    "at": at,
    "span": span,
    "ago": ago,
    "web_address": web_address,
    "marked": marked,
    "job_title": job_title,
    "stage_name": lambda name: STAGES.get(name, name),
}
