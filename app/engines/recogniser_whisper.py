"""Whisper through faster-whisper (CTranslate2)."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app import config
from app.engines import heap, memory, weights, windows
from app.engines.doubts import words_of
from app.engines.recogniser import OnLanguage
from app.engines.waves import RATE_HZ, samples
from app.errors import ModelUnavailable, UnsupportedLanguage
from app.values import OnProgress, Recognition, Word
from monitoring import metrics

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

    from app.engines.windows import Span

ON_CPU, ON_GPU = 1, 8
"""Windows of 30 s in one call: on a CPU more of them cost memory and gain nothing."""

SURE = 0.7
"""A language that is less probable than this is asked for again in the next window, and then voted on."""
LANGUAGE_WINDOWS = 3


def load(
    model: str, device: str, compute_type: str, data_dir: Path, count: int, cpu_threads: int
) -> "FasterWhisper":
    """One copy of the model for so many recognitions at once; ModelUnavailable where it cannot be."""
    try:
        from faster_whisper import WhisperModel
    except ModuleNotFoundError as missing:
        raise ModelUnavailable(
            f"Without {missing.name} nothing is recognised here: run pip install 'youtube-rag[recogniser]',"
            " or leave the class asr to other workers."
        ) from None

    heap.keep_small()
    found = weights.whisper(model, data_dir)
    took = metrics.model_load_seconds.labels(found.name)
    with weights.loading(found.source) as local_files_only, took.time():
        if device == "cpu":
            memory.refuse_more_than_there_is(found.source, found.name)
        loaded = WhisperModel(
            found.source,
            device=device,
            compute_type=compute_type,
            cpu_threads=cpu_threads,
            num_workers=count,
            local_files_only=local_files_only,
        )
    return FasterWhisper(found.name, loaded, count, ON_CPU if device == "cpu" else ON_GPU)


class FasterWhisper:
    """Whisper in CTranslate2's form; makes so many recognitions at once, and lets others wait."""

    def __init__(self, name: str, model: "WhisperModel", count: int, batch: int) -> None:
        self.name = name
        self._model, self._batch = model, batch
        self._free = threading.Semaphore(count)

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
        """See Recogniser; UnsupportedLanguage, UnsupportedMedia or CorruptMedia where it cannot be done."""
        self._check(language)
        sound = samples(audio, start_s, end_s)
        end_s = min(end_s, start_s + len(sound) / RATE_HZ)
        with self._turn(on_progress):
            spoken = windows.speech(sound)
            heap.give_back()
            if not spoken:
                on_progress(1.0)
                return Recognition(language or "", ())
            parts = windows.around(spoken, end_s - start_s)
            known = language or on_language(self._language(sound, parts))
            self._check(known)
            words = self._words(sound, parts, known, on_progress)
            missed = windows.unheard(spoken, words, end_s - start_s)
            if missed:
                words += self._words(sound, missed, known, lambda _done: on_progress(0.0))
                words.sort(key=lambda word: word.start_s)
        on_progress(1.0)
        return Recognition(known if words or language else "", _in_order(words, start_s, end_s))

    def _check(self, language: str | None) -> None:
        if language is not None and language not in self._model.supported_languages:
            raise UnsupportedLanguage(f"The model {self.name} does not know the language {language!r}.")

    @contextmanager
    def _turn(self, on_progress: OnProgress) -> Iterator[None]:
        while not self._free.acquire(timeout=1):
            on_progress(0.0)
        try:
            yield
        finally:
            self._free.release()
            heap.give_back()

    def _language(self, sound: NDArray[np.float32], parts: Sequence["Span"]) -> str:
        if not self._model.model.is_multilingual:
            return "en"
        for windows_heard in (1, LANGUAGE_WINDOWS):  # one is enough nearly always, and takes less memory
            first = np.concatenate([_slice(sound, part) for part in parts[:windows_heard]])
            language, probability, _ = self._model.detect_language(
                first, language_detection_segments=windows_heard, language_detection_threshold=SURE
            )
            if probability >= SURE:
                break
        return str(language)

    def _words(
        self, sound: NDArray[np.float32], parts: Sequence["Span"], language: str, on_progress: OnProgress
    ) -> list[Word]:
        """What is said in these windows; each goes through by itself, so that no text is carried over."""
        from faster_whisper import BatchedInferencePipeline

        # A new pipeline each time: one that was stopped keeps the time of the last word it saw.
        segments, about = BatchedInferencePipeline(self._model).transcribe(
            sound,
            language=language,
            beam_size=config.current().whisper_beam,
            batch_size=config.current().whisper_batch or self._batch,
            word_timestamps=True,
            without_timestamps=True,
            clip_timestamps=[{"start": start_s, "end": end_s} for start_s, end_s in parts],
        )
        words: list[Word] = []
        for segment in segments:
            words += words_of(segment)
            heap.give_back()
            on_progress(min(1.0, float(segment.end) / about.duration))
        return words


def _slice(sound: NDArray[np.float32], part: "Span") -> NDArray[np.float32]:
    return sound[round(part[0] * RATE_HZ) : round(part[1] * RATE_HZ)]


def _in_order(words: list[Word], start_s: float, end_s: float) -> tuple[Word, ...]:
    """The words timed from the file's start, none before its forerunner, none outside the slice."""

    def placed(time_s: float) -> float:
        return min(max(round(start_s + time_s, 3), start_s), end_s)

    starts = list(accumulate((placed(word.start_s) for word in words), max))
    return tuple(
        Word(word.text, start, min(max(placed(word.end_s), start), following), word.probability, word.doubt)
        for word, start, following in zip(words, starts, [*starts, end_s][1:], strict=True)
    )
