"""Plain values that engines, models and services hand to one another."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

OnProgress = Callable[[float], None]
"""Told the fraction done, 0 to 1; raises to stop the work (its job has ended or the worker shuts down)."""


_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht "
    "hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl "
    "ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"
)
LANGUAGES = frozenset(_CODES.split())
"""The codes that Whisper knows; a model for English alone knows only en."""

PRIORITIES: dict[str, int] = {"low": 0, "default": 1, "high": 2, "critical": 3}
PRIORITY_NAMES = {number: name for name, number in PRIORITIES.items()}


@dataclass(frozen=True)
class Word:
    """One word as the recogniser gives it, with its punctuation and no surrounding space.

    doubt: why it may never have been said; "" where nothing speaks against it.
    """

    text: str
    start_s: float
    end_s: float
    probability: float
    doubt: str = ""


@dataclass(frozen=True)
class Recognition:
    """What was said in one slice of audio; times count from the start of the whole audio."""

    language: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Sentence:
    """One sentence and the seconds at which its first word starts and its last word ends."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Passage:
    """Neighbouring sentences that are found together; becomes a row of Segment.

    doubt: why it may never have been said, which keeps it out of the index.
    """

    sentences: tuple[Sentence, ...]
    doubt: str = ""

    @property
    def text(self) -> str:
        """All sentences, parted by a space."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def start_s(self) -> float:
        """Where the first word starts."""
        return self.sentences[0].start_s

    @property
    def end_s(self) -> float:
        """Where the last word ends."""
        return self.sentences[-1].end_s


@dataclass(frozen=True)
class Wish:
    """What is wanted of a source: captions where they serve (auto), nothing else (captions), or sound (asr).

    language is that of the speech, where it is known.
    """

    mode: str = "asr"
    language: str | None = None


@dataclass(frozen=True)
class Captions:
    """What a source's captions say; source tells whose they are, such as captions:owner:en."""

    source: str
    language: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Chapter:
    """A part of a video, as its owner cut and named it."""

    title: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Media:
    """A downloaded file and what its source says about it; None is for what the source does not say.

    Where captions answer for the sound there is no file.
    """

    path: Path | None
    extractor: str
    external_id: str
    title: str
    webpage_url: str
    duration_s: float | None = None
    channel: str | None = None
    language: str | None = None
    published_on: date | None = None
    thumbnail_url: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    captions: Captions | None = None
