"""What each setting of the recogniser costs and does to the text: time and word errors side by side."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from app import config
from app.config import Config, Pool
from app.engines import recogniser, windows
from app.values import Word
from tests.load import hearing
from tests.load.recording import Recording, join_whole
from tests.load.sides import Answering
from tests.load.tables import table
from tests.load.transcription import heard_by

Heard = tuple[float, float]
"""Seconds, and word errors in per cent."""

CLIPS_S = 300
"""Makes each clip come once."""

CHANGES: dict[str, dict[str, Any]] = {
    "ours, the defaults": {},
    "ours, one recognition with 2 threads": {"workers_asr": Pool(1, 1)},
    "ours, beam 1": {"whisper_beam": 1},
    "ours, batch 8": {"whisper_batch": 8},
    "ours, int8_float32": {"whisper_compute_type": "int8_float32"},
    "ours, float32": {"whisper_compute_type": "float32"},
    "ours, chunks of ≤ 30 s": {"chunk_s": 30.0},
    "ours, chunks of ≤ 180 s": {"chunk_s": 180.0},
}
SILENCES_MS = (500,)

USUAL = "`transcribe()`"
_BATCHED = {"batch_size": 8, "without_timestamps": True, "vad_filter": True}
PLAIN: dict[str, dict[str, Any]] = {
    USUAL: {},
    f"{USUAL}, VAD": {"vad_filter": True},
    "the library's batches of 8": _BATCHED,
    "the library's batches of 8, pauses of 500 ms": {
        **_BATCHED,
        "vad_parameters": {"min_silence_duration_ms": 500},
    },
}
"""The library as others call it, with int8, all threads and word times."""


def measure(folder: Path) -> list[str]:
    """Recognise the clips once with each setting, the models loaded; the figures as Markdown."""
    clips, warm_up = join_whole(folder / "clips.wav", CLIPS_S), join_whole(folder / "warm.wav", 20)
    usual = Config(whisper_model="packaged", data_dir=folder)
    found: dict[str, Heard] = {}

    def take(name: str, hear: Callable[[Path], list[Word]]) -> None:
        hear(warm_up.path)
        began = time.perf_counter()
        words = hear(clips.path)
        found[name] = time.perf_counter() - began, hearing.wer(clips.said, words)
        print(f"{name}: {found[name][0]:.1f} s, {found[name][1]:.2f} %", flush=True)

    for name, changes in CHANGES.items():
        with_these = config.use(dataclasses.replace(usual, **changes))
        take(name, partial(ours, settings=with_these))
    config.use(usual)
    for silence_ms in SILENCES_MS:
        with silences(silence_ms):
            take(f"ours, pauses of {silence_ms} ms part speech", partial(ours, settings=usual))
    environment = {**os.environ, "YTRAG_WHISPER_MODEL": "packaged", "YTRAG_DATA_DIR": str(folder)}
    with Answering("tests.load.bare_whisper", environment) as bare:
        for name, options in PLAIN.items():
            take(name, partial(plain, bare=bare, options=options))
    return described(found, clips)


def ours(audio: Path, settings: Config) -> list[Word]:
    """The words by our engine, in chunks, as the workers would."""
    at_once = recogniser.at_once(settings)
    return hearing.in_chunks(recogniser.recogniser(), audio, settings.chunk_s, at_once)[0]


def plain(audio: Path, bare: Answering, options: dict[str, Any]) -> list[Word]:
    """The words by the library alone."""
    return heard_by(bare.ask({"audio": str(audio), **options}))


@contextmanager
def silences(least_ms: int) -> Iterator[None]:
    """Another length of pause that parts speech, which no setting changes."""
    usual = windows.MIN_SILENCE_MS
    windows.MIN_SILENCE_MS = least_ms
    try:
        yield
    finally:
        windows.MIN_SILENCE_MS = usual


def described(found: dict[str, Heard], clips: Recording) -> list[str]:
    """A row a setting; the time is told as a share of the plain call's too."""
    whole_s = found[USUAL][0]
    body = [
        (name, f"{took_s:.1f}", f"{took_s / whole_s:.2f}", f"{errors:.2f}")
        for name, (took_s, errors) in found.items()
    ]
    return [
        f"{clips.ends_s[-1]:.0f} s of sound, each once:",
        "",
        *table(("setting", "seconds", f"over {USUAL}", "word errors, %"), body),
    ]
