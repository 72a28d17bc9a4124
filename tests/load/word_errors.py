"""Word errors of a recogniser over the speech fixtures: python -m tests.load.word_errors [model]."""

import csv
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import jiwer

from app import config
from app.engines.audio import extract_audio
from app.engines.recogniser import Recogniser, recogniser

SPEECH = Path(__file__).parents[1] / "fixtures" / "speech"


def references() -> dict[str, str]:
    """What is said in each clip, by file name."""
    with (SPEECH / "clips.tsv").open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["file"]: row["reference"] for row in rows}


def as_wav(name: str, folder: Path) -> tuple[Path, float]:
    """The clip as the recogniser reads sound, and its seconds."""
    path = folder / f"{name}.wav"
    sound_s = extract_audio(
        SPEECH / name, path, max_duration_s=3600, expected_duration_s=None, on_progress=ignore
    )
    return path, sound_s


def ignore(done: float) -> None:
    """Nobody watches the progress."""


def compare(reference: str, text: str) -> jiwer.WordOutput:
    """Count differing words; case, punctuation, hyphens and how numbers are written do not differ."""
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    plain = EnglishTextNormalizer({})  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    return jiwer.process_words(plain(reference), plain(text))


def measure(engine: Recogniser, name: str, reference: str) -> tuple[int, int, float, float]:
    """Words said, words wrong, seconds of sound and seconds of work for one clip."""
    with tempfile.TemporaryDirectory() as folder:
        audio, sound_s = as_wav(name, Path(folder))
        began = time.perf_counter()
        heard = engine.recognise(audio, start_s=0, end_s=sound_s, language="en", on_progress=ignore)
        work_s = time.perf_counter() - began
    found = compare(reference, " ".join(word.text for word in heard.words))
    wrong = found.substitutions + found.deletions + found.insertions
    return found.hits + found.substitutions + found.deletions, wrong, sound_s, work_s


def main(model: str = "packaged") -> None:
    """Print a line for each clip and one for all of them."""
    config.use(dataclasses.replace(config.current(), whisper_model=model))
    engine = recogniser()
    counts = {name: measure(engine, name, reference) for name, reference in references().items()}
    words, errors, sounds_s, works_s = zip(*counts.values(), strict=True)
    counts["all"] = sum(words), sum(errors), sum(sounds_s), sum(works_s)
    print(f"{engine.name:24}   words   wrong    rate   sound s  work/sound")
    for name, (said, wrong, sound_s, work_s) in counts.items():
        print(f"{name:24} {said:7} {wrong:7} {wrong / said:7.1%} {sound_s:9.1f} {work_s / sound_s:11.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
