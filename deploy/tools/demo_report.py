"""What the demo prints of a transcript and of searches, compared with what is really said."""

import json
import re
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import jiwer
from rich.console import Console
from rich.markup import escape

from app.client import Client
from app.engines.index import keywords
from app.schemas import TranscriptAnswer
from app.values import Sentence

MOST_WORD_ERRORS, MOST_OFF_S = 0.10, 2.0
SHOWN_SENTENCES = 5
INDENT = 17
KINDS = {"keyword": "keywords", "question": "a question", "semantic": "a question in other words"}

out = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Query:
    """What is searched for, and the sentence that answers it where a script tells."""

    text: str
    kind: str
    answer: Sentence | None = None

    def shared(self) -> list[str]:
        """Its content words that the answer holds; inflections agree in their first four letters."""
        roots = {word[:4] for word in keywords(self.answer.text if self.answer else "")}
        return [word for word in keywords(self.text) if word[:4] in roots]


@dataclass(frozen=True)
class Script:
    """What is really said, and searches for it; of most videos nobody knows, so both are empty."""

    text: str = ""
    queries: list[Query] = field(default_factory=list)

    @classmethod
    def of(cls, talk: Path) -> Self:
        """Read talk.json in the talk's folder."""
        told = json.loads((talk / "talk.json").read_text(encoding="utf-8"))
        said = [Sentence(**row) for row in told["sentences"]]
        queries = [Query(row["query"], KINDS[row["kind"]], said[row["sentence"]]) for row in told["searches"]]
        return cls(" ".join(sentence.text for sentence in said), queries)


def report(client: Client, video_id: str, *, work_s: float, script: Script, own_query: str) -> list[str]:
    """Print the transcript, made in work_s, and what searches find; returns what is not as it should be."""
    transcript = client.transcript(video_id)
    show_transcript(transcript, work_s)
    complaints = show_word_errors(script.text, transcript) if script.text else []
    if script.queries and all(query.shared() for query in script.queries):
        complaints.append("Every search shares a content word with its sentence; one must not.")
    own = [Query(own_query, "yours")] if own_query else []
    head("Searches, with the best hit of each")
    for query in script.queries + own or queries_from(transcript):
        complaints += show_search(client, video_id, query)
    return complaints


def show_transcript(transcript: TranscriptAnswer, work_s: float) -> None:
    """Print how fast it was made, and how it starts."""
    said = transcript.sentences
    sound_s = transcript.duration_s or said[-1].end_s
    head("Transcript")
    say("made by", f"{transcript.source}, from speech in the language {transcript.language!r}")
    say(
        "speed",
        f"{sound_s:.1f} s of sound in {work_s:.1f} s: {sound_s / work_s:.1f} times as fast as speaking",
    )
    say("", f"real-time factor {work_s / sound_s:.2f} (seconds of work per second of sound)")
    for sentence in said[:SHOWN_SENTENCES]:
        quote(sentence.start_s, sentence.text)
    if len(said) > SHOWN_SENTENCES:
        say("", f"… {len(said)} sentences in all")


def show_word_errors(script: str, transcript: TranscriptAnswer) -> list[str]:
    """Compare the transcript with the script, word by word; case and punctuation do not count."""
    heard = " ".join(sentence.text for sentence in transcript.sentences)
    found = jiwer.process_words(_bare(script), _bare(heard))
    total = found.hits + found.substitutions + found.deletions
    counts = f"{found.substitutions} wrong, {found.deletions} missing, {found.insertions} too many"
    rate = f"{found.wer:.1%} of the script's {total} words ({counts})"
    say("word errors", f"{rate}; at most {MOST_WORD_ERRORS:.0%} may be")
    return [f"Too many word errors: {rate}."] if found.wer > MOST_WORD_ERRORS else []


def _bare(text: str) -> str:
    return re.sub(r"[^\w\s'’]", " ", text.lower())


def queries_from(transcript: TranscriptAnswer) -> list[Query]:
    """The longest sentence of each third."""
    said = [sentence.text for sentence in transcript.sentences]
    thirds = (said[len(said) * part // 3 : len(said) * (part + 1) // 3] for part in range(3))
    return [Query(max(third, key=len), "a sentence of the transcript") for third in thirds if third]


def show_search(client: Client, video_id: str, query: Query) -> list[str]:
    """Search, print the best hit, and compare it with the script where there is one."""
    began = time.monotonic()
    hits = client.search(query.text, video_id=video_id, limit=1).hits
    how = f"({query.kind}; answered in {1000 * (time.monotonic() - began):.0f} ms)"
    out.print(f"  [bold]“{escape(query.text)}”[/]  {how}")
    if not hits:
        return [f"Nothing was found for {query.text!r}."]
    quote(hits[0].start_s, hits[0].text)
    if hits[0].url.startswith("http"):
        say("link", hits[0].url)
    return _compare(query, query.answer, hits[0].start_s) if query.answer else []


def _compare(query: Query, answer: Sentence, start_s: float) -> list[str]:
    off_s = abs(start_s - answer.start_s)
    say("script", f"said at {at(answer.start_s)}, so the hit is {off_s:.1f} s off")
    say("shared words", ", ".join(query.shared()) or "none but stop words: the meaning found it")
    wrong = f"The hit for {query.text!r} is {off_s:.1f} s off; {MOST_OFF_S:g} s may be."
    return [wrong] if off_s > MOST_OFF_S else []


def say(name: str, text: str) -> None:
    """Print one line about a step."""
    out.print(f"  {name:14} {escape(text)}")


def quote(start_s: float, text: str) -> None:
    """Print a sentence beside its time, broken where the screen ends."""
    lines = textwrap.wrap(text, max(30, out.width - INDENT), break_on_hyphens=False)
    say(f"{at(start_s):>14}", ("\n" + " " * INDENT).join(lines))


def head(text: str) -> None:
    """Print a heading."""
    out.print(f"\n[bold]{text}[/]")


def at(moment_s: float) -> str:
    """Minutes, seconds and tenths."""
    minutes, tenths = divmod(round(moment_s * 10), 600)
    return f"{minutes}:{tenths / 10:04.1f}"
