"""Made sounds: what recognisers hear besides speech."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.engines.recogniser import RATE_HZ

RNG = np.random.default_rng(1)
SECONDS = np.arange(20 * RATE_HZ) / RATE_HZ


def write_wav(path: Path, sound: NDArray[np.float64], rate_hz: int = RATE_HZ) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, len(sound), "NONE", ""))
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def chords() -> NDArray[np.float64]:
    """Plucked triads, two a second, six overtones each: music in the range of voices."""
    since = SECONDS % 0.5
    triads = np.array([(220, 277, 330), (196, 247, 294), (175, 220, 262)])[(SECONDS // 0.5).astype(int) % 3]
    sound = sum(
        np.sin(2 * np.pi * overtone * triads[:, voice] * since) / overtone
        for overtone in range(1, 7)
        for voice in range(3)
    )
    return np.asarray(0.1 * np.minimum(1, since / 0.02) * np.exp(-3 * since) * sound)


def applause() -> NDArray[np.float64]:
    """Sixty claps a second, each a burst of noise that dies away in 50 ms."""
    sound = 0 * SECONDS
    clap = np.exp(-np.arange(800) / 160)
    for at in RNG.integers(0, SECONDS.size - clap.size, 20 * 60):
        sound[at : at + clap.size] += 0.2 * RNG.random() * RNG.standard_normal(clap.size) * clap
    return sound
