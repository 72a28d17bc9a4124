"""Reads the one kind of sound that recognisers get: WAV of 16 kHz, mono, 16 bit."""

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import CorruptMedia, UnsupportedMedia

RATE_HZ = 16_000


@contextmanager
def opened(audio: Path) -> Iterator[wave.Wave_read]:
    """The file, ready to be read; UnsupportedMedia or CorruptMedia where it is none of these."""
    try:
        with wave.open(str(audio), "rb") as file:
            form = file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()
            if form != (RATE_HZ, 1, 16):
                raise UnsupportedMedia(
                    f"{audio.name} has (Hz, channels, bits) {form}, not ({RATE_HZ}, 1, 16)."
                )
            yield file
    except (wave.Error, EOFError) as error:
        raise CorruptMedia(f"{audio.name} cannot be read as WAV: {error}.") from error


def samples(audio: Path, start_s: float, end_s: float) -> NDArray[np.float32]:
    """One slice as numbers from -1 to 1, one a sample; shorter where the file ends earlier."""
    if not 0 <= start_s < end_s:
        raise ValueError(f"no slice of audio: {start_s} s to {end_s} s")
    with opened(audio) as file:
        first = min(round(start_s * RATE_HZ), file.getnframes())
        file.setpos(first)
        frames = file.readframes(round(end_s * RATE_HZ) - first)
    return np.frombuffer(frames, "<i2").astype(np.float32) / np.float32(32768)
