"""Speech to words: what the transcribe stage asks for, and Whisper through faster-whisper."""

import os
import threading
import wave
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from app import config
from app.engines import weights
from app.engines.segmenter import written_together
from app.errors import CorruptMedia, UnsupportedLanguage, UnsupportedMedia
from app.values import OnProgress, Recognition, Word
from monitoring import metrics

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

RATE_HZ = 16_000

BEAM = 5
MOST_AT_ONCE = 8  # windows of 30 s; more cost memory and gain nothing
MIN_SILENCE_MS = 500  # measured: less and more than this both drop words around pauses
NO_SPEECH, UNSURE, LOOPING = 0.6, -1.0, 2.4  # Whisper's own limits, which the batched pipeline leaves to us


class Recogniser(Protocol):
    """Turns speech into words; its name is recorded with the transcript."""

    name: str

    def recognise(
        self, audio: Path, *, start_s: float, end_s: float, language: str | None, on_progress: OnProgress
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
            settings.whisper_model, settings.whisper_device, settings.whisper_compute_type, settings.data_dir
        )


_loading = threading.Lock()


@lru_cache(maxsize=1)
def _load(model: str, device: str, compute_type: str, data_dir: Path) -> "FasterWhisper":
    from faster_whisper import WhisperModel

    found = weights.whisper(model, data_dir)
    took = metrics.model_load_seconds.labels(found.name)
    with weights.loading(found.source) as local_files_only, took.time():
        loaded = WhisperModel(
            found.source,
            device=device,
            compute_type=compute_type,
            cpu_threads=_cores(),
            local_files_only=local_files_only,
        )
    return FasterWhisper(found.name, loaded)


def _cores() -> int:
    # faster-whisper takes 4 unless told, whatever the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class FasterWhisper:
    """Whisper in CTranslate2's form; takes one recognition at a time, which uses all cores."""

    def __init__(self, name: str, model: "WhisperModel") -> None:
        self.name = name
        self._model = model
        self._busy = threading.Lock()

    def recognise(
        self, audio: Path, *, start_s: float, end_s: float, language: str | None, on_progress: OnProgress
    ) -> Recognition:
        """See Recogniser; UnsupportedLanguage, UnsupportedMedia or CorruptMedia where it cannot be done."""
        if language is not None and language not in self._model.supported_languages:
            raise UnsupportedLanguage(f"The model {self.name} does not know the language {language!r}.")
        samples = _samples(audio, start_s, end_s)
        while not self._busy.acquire(timeout=1):
            on_progress(0.0)
        try:
            spoken, words = self._words(samples, language, on_progress)
        finally:
            self._busy.release()
        on_progress(1.0)
        end_s = min(end_s, start_s + len(samples) / RATE_HZ)
        return Recognition(language or (spoken if words else ""), _in_order(words, start_s, end_s))

    def _words(
        self, samples: NDArray[np.float32], language: str | None, on_progress: OnProgress
    ) -> tuple[str, list[Word]]:
        from faster_whisper import BatchedInferencePipeline

        # A new pipeline each time: one that was stopped keeps the time of the last word it saw.
        segments, about = BatchedInferencePipeline(self._model).transcribe(
            samples,
            language=language,
            beam_size=BEAM,
            # Few on small machines: nothing can be stopped or shown before a batch is through.
            batch_size=min(MOST_AT_ONCE, max(2, _cores())),
            word_timestamps=True,
            without_timestamps=True,
            vad_filter=True,
            vad_parameters={"min_silence_duration_ms": MIN_SILENCE_MS},
        )
        words: list[Word] = []
        for segment in segments:
            words += _words_of(segment)
            on_progress(min(1.0, float(segment.end) / about.duration))
        return about.language, words


def _samples(audio: Path, start_s: float, end_s: float) -> NDArray[np.float32]:
    """One slice as numbers from -1 to 1, one a sample; shorter where the file ends earlier."""
    if not 0 <= start_s < end_s:
        raise ValueError(f"no slice of audio: {start_s} s to {end_s} s")
    try:
        with wave.open(str(audio), "rb") as file:
            form = file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()
            if form != (RATE_HZ, 1, 16):
                raise UnsupportedMedia(
                    f"{audio.name} has (Hz, channels, bits) {form}, not ({RATE_HZ}, 1, 16)."
                )
            first = min(round(start_s * RATE_HZ), file.getnframes())
            file.setpos(first)
            frames = file.readframes(round(end_s * RATE_HZ) - first)
    except (wave.Error, EOFError) as error:
        raise CorruptMedia(f"{audio.name} cannot be read as WAV: {error}.") from error
    return np.frombuffer(frames, "<i2").astype(np.float32) / np.float32(32768)


def _words_of(segment: "Segment") -> list[Word]:
    """A segment's words without pieces of words, invented speech and loops."""
    if segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < UNSURE:
        return []
    words: list[Word] = []
    for piece in segment.words or ():
        word = Word(piece.word.strip(), float(piece.start), float(piece.end), float(piece.probability))
        if words and not piece.word.startswith(" ") and not written_together(words[-1].text, word.text):
            word = _joined(words.pop(), word)  # Whisper cuts "forty-two" and "3.5" before the hyphen and dot
        if word.text:
            words.append(word)
    return _said_once(words) if segment.compression_ratio > LOOPING else words


def _joined(first: Word, second: Word) -> Word:
    probability = min(first.probability, second.probability)
    return Word(first.text + second.text, first.start_s, max(first.end_s, second.end_s), probability)


def _said_once(words: Iterable[Word]) -> list[Word]:
    """Drop each run of words that only repeats the run before it."""
    kept: list[Word] = []
    for word in words:
        kept.append(word)
        texts = [said.text for said in kept]
        for size in range(1, len(kept) // 2 + 1):
            if texts[-size:] == texts[-2 * size : -size]:
                del kept[-size:]
                break
    return kept


def _in_order(words: list[Word], start_s: float, end_s: float) -> tuple[Word, ...]:
    """The words timed from the file's start, none before its forerunner, none outside the slice."""

    def placed(time_s: float) -> float:
        return min(max(round(start_s + time_s, 3), start_s), end_s)

    starts = list(accumulate((placed(word.start_s) for word in words), max))
    return tuple(
        Word(word.text, start, min(max(placed(word.end_s), start), following), word.probability)
        for word, start, following in zip(words, starts, [*starts, end_s][1:], strict=True)
    )
