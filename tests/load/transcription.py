"""The transcription stage against faster-whisper's plain transcribe(), and its chunks against the whole."""

import dataclasses
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from app import config
from app.config import Config
from app.engines.recogniser import at_once, recogniser
from app.models import schema
from app.models.base import database
from app.models.jobs import Chunk
from app.services import transcripts
from app.stages import FAN_OUT
from app.values import Word
from tests.load import hearing
from tests.load.recording import Recording, join_whole
from tests.load.sides import Answering, await_end, stages_s
from tests.load.tables import spread, table
from tests.up import Up

MOST_TIME, MOST_WER, MOST_LATE_S = 0.6, 0.5, 0.2
SHORT_CHUNK_S = 30.0
"""Chunks that short make many seams."""


def measure(folder: Path, *, runs: int, seconds: int) -> list[str]:
    """Run both sides in turns, then the same sound in one piece; the figures as Markdown."""
    talk, warm_up = join_whole(folder / "talk.wav", seconds), join_whole(folder / "warm.wav", 60)
    ours, plain = list[float](), list[float]()
    with Up(folder / "data") as up, Answering("tests.load.bare_whisper", up.environment) as bare:
        recognise(up, warm_up)
        bare.ask({"audio": str(warm_up.path)})
        for _ in range(runs):
            took_s, job_id = recognise(up, talk)
            ours.append(took_s)
            answer = bare.ask({"audio": str(talk.path)})
            plain.append(answer["took_s"])
            print(f"stage {ours[-1]:.1f} s, plain {plain[-1]:.1f} s", flush=True)
        chunked, slices = stored(up, job_id)
    return [
        *speed(ours, plain, talk, chunked, heard_by(answer)),
        "",
        *equal_text(talk, chunked, slices, folder),
    ]


def heard_by(answer: dict[str, Any]) -> list[Word]:
    """The words of bare_whisper's answer."""
    return [Word(text, start_s, end_s, 1.0) for text, start_s, end_s in answer["words"]]


def recognise(up: Up, recording: Recording) -> tuple[float, str]:
    """Seconds from the transcription stage's start to its end, and the job's id."""
    status = await_end(up, up.client.upload(recording.path, force=True).job_id)
    return stages_s(status)[FAN_OUT], status.job_id


def stored(up: Up, job_id: str) -> tuple[list[Word], hearing.Slices]:
    """The job's words and its chunks."""
    schema.open_database(config.use(Config.from_env(up.environment)))
    rows = Chunk.select().where(Chunk.job == job_id).order_by(Chunk.position)
    found = transcripts.words_of(job_id), [(row.start_s, row.end_s) for row in rows]
    database.close()
    return found


def speed(
    ours: list[float], plain: list[float], talk: Recording, mine: list[Word], theirs: list[Word]
) -> list[str]:
    """The ratio that the target is about, with the text quality of both sides."""
    ratios = [one / other for one, other in zip(ours, plain, strict=True)]
    wers = hearing.wer(talk.said, mine), hearing.wer(talk.said, theirs)
    met = median(ratios) <= MOST_TIME and wers[0] <= wers[1] + MOST_WER
    target = f"target ≤ {MOST_TIME} with at most {MOST_WER} points more word errors"
    rows = [
        ("our stage, default settings", spread(ours), f"{wers[0]:.2f}"),
        ("transcribe(word_timestamps=True)", spread(plain), f"{wers[1]:.2f}"),
    ]
    verdict = (
        f"Transcription stage over plain faster-whisper, {talk.ends_s[-1]:.0f} s of sound: "
        f"**{spread(ratios, 3)}**; {target}: {'met' if met else 'missed'}."
    )
    return [verdict, "", *table(("side", "seconds", "word errors, %"), rows)]


def equal_text(talk: Recording, stage: list[Word], slices: hearing.Slices, folder: Path) -> list[str]:
    """The same sound in one piece, in the stage's chunks and in short ones."""
    settings = config.use(dataclasses.replace(config.current(), data_dir=folder))
    engine = recogniser()
    whole, _ = hearing.in_chunks(engine, talk.path, talk.ends_s[-1] + 1, 1)
    short = hearing.in_chunks(engine, talk.path, SHORT_CHUNK_S, at_once(settings))
    wanted = hearing.wer(talk.said, whole)
    rows, met = [("in one piece", "", "", f"{wanted:.2f}", "", "", "")], True
    for longest_s, (words, pieces) in ((settings.chunk_s, (stage, slices)), (SHORT_CHUNK_S, short)):
        seams, late_s = hearing.seams_s(pieces), hearing.differences_s(whole, words)
        found, p95_s = hearing.wer(talk.said, words), float(np.percentile(late_s, 95))
        within = hearing.inside(seams, talk.ends_s)
        more, fewer = hearing.more_and_fewer(whole, words, seams)
        good = found <= wanted + MOST_WER and p95_s <= MOST_LATE_S and 2 * within >= len(seams)
        met = met and (good or longest_s != settings.chunk_s)  # the short ones show what more seams do
        figures = f"{found:.2f}", f"{p95_s:.3f}", str(more), str(fewer)
        rows.append((f"chunks of ≤ {longest_s:g} s", str(len(seams)), str(within), *figures))
    heads = (
        *("text", "seams", "inside a clip", "word errors, %"),
        *("times differ by, p95, s", "more words at seams", "fewer words at seams"),
    )
    target = f"≤ {MOST_WER} points more word errors, times within {MOST_LATE_S} s at p95"
    verdict = f"Default chunks against the whole; target {target}, half of the seams inside clips: "
    return [verdict + ("met." if met else "missed."), "", *table(heads, rows)]
