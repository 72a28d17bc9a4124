"""Sound out of media files, with the real ffmpeg: good ones, damaged ones and what only looks like one."""

import array
import random
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engines.audio import extract_audio
from app.errors import (
    CorruptMedia,
    NoAudio,
    StageError,
    TooLong,
    TruncatedMedia,
    UnsupportedMedia,
    WorkStopped,
)
from tests.media_files import PICTURES, SOUND, make, make_video

TEN_HOURS_S = 36_000


def extract(
    source: Path,
    *,
    max_duration_s: float = 600,
    expected_duration_s: float | None = None,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> float:
    return extract_audio(
        source,
        source.with_name("out.wav"),
        max_duration_s=max_duration_s,
        expected_duration_s=expected_duration_s,
        on_progress=on_progress,
    )


def refusal_of(source: Path, error: type[StageError]) -> str:
    """The sentence of the refusal; nothing may be left behind, and no path of the server told."""
    before = set(source.parent.iterdir())

    with pytest.raises(error) as failure:
        extract(source)

    assert type(failure.value) is error
    assert set(source.parent.iterdir()) == before
    assert source.parent.name not in failure.value.detail
    return failure.value.detail


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def whole(shelf: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Gives a fresh copy of a good file, made once: video.* has pictures, sound.* has none."""

    def copy(name: str) -> Path:
        original = shelf / name
        if not original.exists():
            _ = make_video(original) if name.startswith("video") else make(original, *SOUND)
        return Path(shutil.copy(original, tmp_path / name))

    return copy


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def overwrite_a_quarter(path: Path, filling: Callable[[int], bytes]) -> Path:
    whole = path.read_bytes()
    start, size = len(whole) // 2, len(whole) // 4
    path.write_bytes(whole[:start] + filling(size) + whole[start + size :])
    return path


def write_long_silence(path: Path) -> Path:
    """Ten hours of 16 kHz silence as a WAV file that takes hardly any room on the disk."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.setnframes(TEN_HOURS_S * 16_000)
        sound.writeframesraw(b"")
        sound._patchheader = lambda: None  # type: ignore[attr-defined]  # keeps the length that was announced
    with path.open("r+b") as file:
        file.truncate(44 + TEN_HOURS_S * 32_000)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "video.mp4",
        "video.mkv",
        "video.ts",
        "sound.webm",
        "sound.m4a",
        "sound.mp3",
        "sound.ogg",
        "sound.flac",
        "sound.wav",
        "sound.aac",
    ],
)
def test_every_format_becomes_16_khz_mono_of_its_own_length(
    tmp_path: Path, whole: Callable[[str], Path], name: str
) -> None:
    duration_s = extract(whole(name))

    assert duration_s == pytest.approx(12, abs=0.1)
    with wave.open(str(tmp_path / "out.wav")) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        assert sound.getnframes() == duration_s * 16_000
    assert {path.name for path in tmp_path.iterdir()} == {name, "out.wav"}


def test_the_name_of_a_file_is_not_read_as_anything_else(whole: Callable[[str], Path]) -> None:
    source = whole("sound.mp3")
    source = source.rename(source.with_name("-i http: %03d é.mp3"))

    assert extract(source) == pytest.approx(12, abs=0.1)


def test_sound_that_starts_late_keeps_the_times_of_the_video(tmp_path: Path) -> None:
    late = ("-itsoffset", "3", "-f", "lavfi", "-i", "sine=duration=9")
    source = make(tmp_path / "late.mp4", *PICTURES, *late, "-pix_fmt", "yuv420p")

    duration_s = extract(source)

    with wave.open(str(tmp_path / "out.wav")) as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
    assert duration_s == pytest.approx(12, abs=0.1)
    assert max(samples[: 16_000 * 28 // 10]) == 0
    assert max(samples[16_000 * 32 // 10 :]) > 1000


def test_sound_that_ends_before_the_pictures_is_taken_as_it_is(tmp_path: Path) -> None:
    short = ("-f", "lavfi", "-i", "sine=duration=5")
    source = make(tmp_path / "short.mp4", *PICTURES, *short, "-pix_fmt", "yuv420p")

    assert extract(source, expected_duration_s=12) == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp4", b"Bees dance.\n" * 1000),
        ("zeros.mp3", bytes(100_000)),
        ("random.mp4", random.Random(1).randbytes(100_000)),
        ("page.mp4", b"<!doctype html><html><body>Not found</body></html>"),
    ],
    ids=["text", "zeros", "random", "page"],
)
def test_what_is_neither_sound_nor_video_is_unsupported(tmp_path: Path, name: str, content: bytes) -> None:
    source = tmp_path / name
    source.write_bytes(content)

    assert refusal_of(source, UnsupportedMedia) == "The file is neither sound nor video."


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    source = tmp_path / "empty.mp4"
    source.touch()

    assert refusal_of(source, UnsupportedMedia) == "The file is empty."


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8"])
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {other}\n",
    ],
    ids=["hls", "concat"],
)
def test_a_playlist_cannot_read_another_file(
    tmp_path: Path, whole: Callable[[str], Path], name: str, text: str
) -> None:
    source = tmp_path / name
    source.write_text(text.format(other=whole("video.ts")))

    refusal_of(source, UnsupportedMedia)


def test_a_known_format_outside_the_list_is_unsupported(tmp_path: Path) -> None:
    source = make(tmp_path / "talk.avi", *SOUND)

    assert "format is not one" in refusal_of(source, UnsupportedMedia)


def test_a_video_without_sound_has_no_audio(tmp_path: Path) -> None:
    source = make(tmp_path / "silent.mp4", *PICTURES, "-pix_fmt", "yuv420p")

    assert refusal_of(source, NoAudio) == "The file has no audio track."


@pytest.mark.parametrize(
    "name", ["video.mp4", "video.mkv", "sound.webm", "sound.mp3", "sound.flac", "sound.wav"]
)
def test_a_file_cut_in_half_is_truncated(whole: Callable[[str], Path], name: str) -> None:
    source = cut(whole(name))

    assert "should hold 12.0 s of sound but holds only" in refusal_of(source, TruncatedMedia)


def test_a_file_without_its_index_is_corrupt(whole: Callable[[str], Path]) -> None:
    source = cut(whole("sound.m4a"))

    assert "index is missing" in refusal_of(source, CorruptMedia)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("video.mp4", CorruptMedia),
        ("video.mkv", CorruptMedia),
        ("video.ts", CorruptMedia),
        ("sound.webm", CorruptMedia),
        ("sound.ogg", CorruptMedia),
        ("sound.flac", CorruptMedia),
        ("sound.mp3", TruncatedMedia),
        ("sound.aac", TruncatedMedia),
    ],
)
@pytest.mark.parametrize("filling", [bytes, random.Random(1).randbytes], ids=["zeros", "noise"])
def test_damage_in_the_middle_does_not_pass(
    whole: Callable[[str], Path], name: str, error: type[StageError], filling: Callable[[int], bytes]
) -> None:
    source = overwrite_a_quarter(whole(name), filling)

    refusal_of(source, error)


def test_a_file_whose_sound_is_all_damaged_is_corrupt(whole: Callable[[str], Path]) -> None:
    source = whole("video.mp4")
    start = source.read_bytes().index(b"mdat") + 4
    source.write_bytes(source.read_bytes()[:start] + bytes(source.stat().st_size - start))

    refusal_of(source, CorruptMedia)


def test_less_sound_than_the_source_promised_is_truncated(whole: Callable[[str], Path]) -> None:
    source = whole("sound.aac")

    with pytest.raises(TruncatedMedia, match=r"should hold 15\.0 s of sound but holds only 12\.0 s"):
        extract(source, expected_duration_s=15)

    assert extract(source, expected_duration_s=12.9) == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize("name", ["sound.mp3", "sound.aac"])
def test_sound_over_the_limit_is_refused_and_not_cut(
    tmp_path: Path, whole: Callable[[str], Path], name: str
) -> None:
    source = whole(name)

    with pytest.raises(TooLong, match=r"this server takes 5\.0 s"):
        extract(source, max_duration_s=5)

    assert list(tmp_path.iterdir()) == [source]


def test_a_file_that_says_it_is_too_long_is_refused_while_it_is_read(tmp_path: Path) -> None:
    source, told = write_long_silence(tmp_path / "long.wav"), list[float]()

    with pytest.raises(TooLong, match=r"36000\.0 s"):
        extract(source, max_duration_s=TEN_HOURS_S - 10, on_progress=told.append)

    assert told == []


def test_stopping_kills_ffmpeg_and_leaves_nothing(tmp_path: Path) -> None:
    source, told = write_long_silence(tmp_path / "long.wav"), list[float]()

    def stop(fraction: float) -> None:
        told.append(fraction)
        raise WorkStopped

    with pytest.raises(WorkStopped):
        extract(source, max_duration_s=TEN_HOURS_S, on_progress=stop)

    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True, timeout=10)
    assert len(told) == 1
    assert told[0] < 1
    assert str(source) not in running.stdout
    assert list(tmp_path.iterdir()) == [source]
