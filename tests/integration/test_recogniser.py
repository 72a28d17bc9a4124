"""Speech to words with real models over recorded speech, and no words where nobody speaks."""

import subprocess
import sys
import threading
import wave
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app import config
from app.engines.recogniser import Recogniser, recogniser
from app.engines.waves import samples
from app.errors import CorruptMedia, ModelUnavailable, UnsupportedLanguage, UnsupportedMedia, WorkStopped
from app.values import LANGUAGES, Recognition, Word
from tests.load import hearing
from tests.load.word_errors import as_wav, compare, ignore, references
from tests.sounds import RNG, SECONDS, applause, chords, write_wav

JFK_S = 11.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recogniser")


def load(model: str, folder: Path) -> Recogniser:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "_current", config.Config(whisper_model=model, data_dir=folder))
        return recogniser()


@pytest.fixture(scope="module")
def base(folder: Path) -> Recogniser:
    return load("packaged", folder)


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Recogniser:
    return load("packaged-tiny.en", folder)


@pytest.fixture(scope="module")
def jfk(folder: Path) -> Path:
    return as_wav("jfk.flac", folder)[0]


def recognise(engine: Recogniser, audio: Path, start_s: float = 0, end_s: float = JFK_S) -> Recognition:
    return engine.recognise(audio, start_s=start_s, end_s=end_s, language=None, on_progress=ignore)


def text(heard: Recognition) -> str:
    return " ".join(word.text for word in heard.words)


def test_speech_becomes_its_words_and_its_language(base: Recogniser, jfk: Path) -> None:
    heard = recognise(base, jfk)

    assert heard.language == "en"
    assert text(heard) == (
        "And so my fellow Americans, ask not what your country can do for you, "
        "ask what you can do for your country."
    )


def test_words_come_in_order_inside_the_slice_and_count_from_the_start_of_the_file(
    tiny: Recogniser, jfk: Path
) -> None:
    heard = recognise(tiny, jfk, start_s=3, end_s=7.7)

    assert text(heard).lower().startswith("ask not what your country")
    assert heard.words[0].start_s >= 3
    assert heard.words[-1].end_s <= 7.7
    assert all(word.start_s <= word.end_s for word in heard.words)
    assert all(earlier.end_s <= later.start_s for earlier, later in pairwise(heard.words))


def test_a_slice_beyond_the_end_has_no_words(tiny: Recogniser, jfk: Path) -> None:
    assert recognise(tiny, jfk, start_s=60, end_s=90).words == ()


@pytest.fixture(scope="module")
def clips(base: Recogniser, folder: Path) -> dict[str, Recognition]:
    """What is heard in each clip of the speech fixtures."""
    audio = {name: as_wav(name, folder) for name in references()}
    return {name: recognise(base, path, end_s=sound_s) for name, (path, sound_s) in audio.items()}


def test_recorded_speech_is_heard_with_few_errors(clips: dict[str, Recognition]) -> None:
    said = " ".join(references().values())

    found = compare(said, " ".join(text(heard) for heard in clips.values()))

    assert found.wer < 0.08  # 0.055 where it was measured; archaic sonnets make most of it


def test_words_are_whole_and_keep_their_marks(clips: dict[str, Recognition]) -> None:
    words = [word.text for heard in clips.values() for word in heard.words]

    assert "self-substantial" in words
    assert not [word for word in words if not word or word != word.strip() or word.startswith("-")]


@pytest.mark.parametrize(
    "sound",
    [
        0 * SECONDS,
        0.01 * RNG.standard_normal(SECONDS.size),
        0.3 * RNG.standard_normal(SECONDS.size),
        chords(),
        applause(),
    ],
    ids=["silence", "faint noise", "loud noise", "music", "applause"],
)
def test_no_words_are_invented_where_nobody_speaks(
    sound: NDArray[np.float64], base: Recogniser, tmp_path: Path
) -> None:
    heard = recognise(base, write_wav(tmp_path / "sound.wav", sound), end_s=20)

    assert heard == Recognition(language="", words=())


def test_very_quiet_speech_is_heard_and_not_doubted(base: Recogniser, jfk: Path, tmp_path: Path) -> None:
    quiet = write_wav(tmp_path / "quiet.wav", 0.01 * samples(jfk, 0, JFK_S).astype(float))

    heard = recognise(base, quiet)

    assert text(heard).endswith(
        "ask not what your country can do for you, ask what you can do for your country."
    )
    assert {word.doubt for word in heard.words} == {""}


def test_chunks_come_to_the_text_and_the_times_of_the_whole(
    base: Recogniser, folder: Path, clips: dict[str, Recognition]
) -> None:
    late_s, wrong, seams = [], 0, 0
    for name, whole in clips.items():
        audio, _ = as_wav(name, folder)
        heard, slices = hearing.in_chunks(base, audio, 60, 2)
        late_s += hearing.differences_s(whole.words, heard)
        wrong += errors(name, heard) - errors(name, whole.words)
        seams += len(slices) - 1

    assert seams >= 4
    assert wrong <= 0.005 * len(" ".join(references().values()).split())
    assert np.percentile(late_s, 95) <= 0.2


def errors(name: str, words: Sequence[Word]) -> int:
    """Words of the clip that are wrong, missing or too many."""
    found = compare(references()[name], " ".join(word.text for word in words))
    return found.substitutions + found.deletions + found.insertions


def test_a_phrase_that_the_model_is_stuck_on_comes_once(base: Recogniser, folder: Path) -> None:
    audio, sound_s = as_wav("sonnet001.ogg", folder)
    with wave.open(str(audio)) as file:
        forwards = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    backwards = write_wav(folder / "backwards.wav", forwards[::-1])  # gibberish makes it repeat itself

    heard = base.recognise(backwards, start_s=0, end_s=sound_s, language="en", on_progress=ignore)

    words = text(heard).split()
    runs = [
        [words[at + again * size : at + (again + 1) * size] for again in range(3)]
        for size in (3, 4, 5, 6)
        for at in range(len(words))
    ]
    assert words
    assert not [first for first, second, third in runs if first == second == third]


def test_progress_grows_to_one(tiny: Recogniser, jfk: Path) -> None:
    seen: list[float] = []

    tiny.recognise(jfk, start_s=0, end_s=JFK_S, language="en", on_progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_work_that_is_stopped_ends_at_once_and_the_next_is_unhurt(tiny: Recogniser, jfk: Path) -> None:
    whole, seen = recognise(tiny, jfk), []

    def stop(done: float) -> None:
        seen.append(done)
        raise WorkStopped

    with pytest.raises(WorkStopped):
        tiny.recognise(jfk, start_s=0, end_s=JFK_S, language="en", on_progress=stop)

    assert len(seen) == 1
    assert recognise(tiny, jfk) == whole


def test_whoever_waits_for_another_recognition_can_be_stopped(tiny: Recogniser, jfk: Path) -> None:
    entered, released = threading.Event(), threading.Event()

    def hold(done: float) -> None:
        entered.set()
        released.wait(60)

    def stop(done: float) -> None:
        raise WorkStopped

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(tiny.recognise, jfk, start_s=0, end_s=JFK_S, language="en", on_progress=hold)
        entered.wait(60)
        with pytest.raises(WorkStopped):
            tiny.recognise(jfk, start_s=0, end_s=JFK_S, language="en", on_progress=stop)
        released.set()

    assert first.result().words


def test_recognitions_at_the_same_time_hear_what_each_hears_alone(tiny: Recogniser, jfk: Path) -> None:
    slices = [(0.0, 5.0), (5.0, JFK_S), (0.0, JFK_S)]
    alone = [recognise(tiny, jfk, *times) for times in slices]

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda times: recognise(tiny, jfk, *times), slices))

    assert together == alone


def test_the_model_is_loaded_once(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        engines = list(pool.map(lambda _: load("packaged-tiny.en", folder), range(2)))

    assert engines[0] is engines[1]


def test_a_language_that_the_model_does_not_know_is_refused(
    base: Recogniser, tiny: Recogniser, jfk: Path
) -> None:
    for engine, language in ((base, "xx"), (tiny, "de")):
        with pytest.raises(UnsupportedLanguage, match=f"{engine.name}.*'{language}'"):
            engine.recognise(jfk, start_s=0, end_s=JFK_S, language=language, on_progress=ignore)


def test_the_languages_are_those_of_the_models() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert set(_LANGUAGE_CODES) == LANGUAGES


def test_sound_of_another_form_is_refused_by_name(tiny: Recogniser, tmp_path: Path) -> None:
    other = write_wav(tmp_path / "fast.wav", 0 * SECONDS, rate_hz=44_100)

    with pytest.raises(UnsupportedMedia, match=r"fast\.wav.*44100"):
        recognise(tiny, other)


def test_what_is_no_wav_is_refused_by_name(tiny: Recogniser, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")

    with pytest.raises(CorruptMedia, match=r"text\.wav"):
        recognise(tiny, tmp_path / "text.wav")


def test_a_slice_that_ends_before_it_starts_is_refused(tiny: Recogniser, jfk: Path) -> None:
    with pytest.raises(ValueError, match="5 s to 4 s"):
        recognise(tiny, jfk, start_s=5, end_s=4)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=tmp_path.name):
        load(str(tmp_path), tmp_path)


def test_a_model_that_is_only_on_a_hub_out_of_reach_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(ModelUnavailable, match=r"'nobody/no-such-model'.*hub did not answer"):
        load("nobody/no-such-model", tmp_path)


def test_naming_the_languages_loads_no_model_library() -> None:
    code = (
        "import app.engines.recogniser, sys; print({'faster_whisper', 'ctranslate2', 'av'} & {*sys.modules})"
    )

    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=180
    )

    assert out.stdout.strip() == "set()"
