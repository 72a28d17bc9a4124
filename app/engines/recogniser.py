"""Speech to words: what the transcribe stage asks for, and the engine that the settings name."""

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from app import config
from app.config import Config
from app.engines.waves import RATE_HZ as RATE_HZ
from app.engines.weights import whisper_name
from app.values import OnProgress, Recognition

OnLanguage = Callable[[str], str]
"""Told the language that was detected; answers with the one to use, for all of the sound is in one."""

REVISION = 2
"""Raised when the same sound and settings come to other words than before."""


class Recogniser(Protocol):
    """Turns speech into words; its name is recorded with the transcript."""

    name: str

    def recognise(
        self,
        audio: Path,
        *,
        start_s: float,
        end_s: float,
        language: str | None,
        on_progress: OnProgress,
        on_language: OnLanguage = str,
    ) -> Recognition:
        """Words of one slice of a 16 kHz mono 16-bit WAV, timed from the file's start.

        Without a language it is detected once; it is "" where none was given and nothing was said.
        """
        ...


def recogniser() -> Recogniser:
    """The recogniser of the settings, loaded on first use; ModelUnavailable where it cannot be."""
    settings = config.current()
    with _loading:
        return _load(
            settings.whisper_model,
            settings.whisper_device,
            compute_type(settings),
            settings.data_dir,
            at_once(settings),
            threads(settings),
        )


_loading = threading.Lock()


@lru_cache(maxsize=1)
def _load(
    model: str, device: str, arithmetic: str, data_dir: Path, count: int, cpu_threads: int
) -> Recogniser:
    from app.engines.recogniser_whisper import load  # an engine loads only where it is used

    return load(model, device, arithmetic, data_dir, count, cpu_threads)


def compute_type(settings: Config) -> str:
    """The arithmetic: 'default' would be that of the weights, which is 7 times slower on a CPU."""
    return settings.whisper_compute_type or ("int8" if settings.whisper_device == "cpu" else "int8_float16")


def at_once(settings: Config) -> int:
    """How many recognitions this process makes at once with its one copy of the model."""
    pool = settings.workers_asr
    return pool.threads if settings.broker_url else pool.total


def threads(settings: Config) -> int:
    """Threads of one recognition: the host's cores, shared among all that recognise on it."""
    if settings.whisper_threads:
        return settings.whisper_threads
    return max(1, _cores() // (settings.recognisers_per_host or settings.workers_asr.total))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def options(settings: Config) -> str:
    """Everything in the settings that decides which words are heard."""
    model, arithmetic = whisper_name(settings.whisper_model), compute_type(settings)
    return f"{model} {arithmetic} beam {settings.whisper_beam} revision {REVISION}"
