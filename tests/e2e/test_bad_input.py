"""What cannot be ingested ends with a code, a sentence and a next step, and leaves no file behind."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import jiwer
import pytest

from app.schemas import JobStatusAnswer
from tests.conftest import FIXTURES
from tests.media_files import CONCAT, HLS, MUSIC, NOISE, PICTURES, SILENCE, make, make_video
from tests.up import Up
from tests.webserver import WebServer


def text(folder: Path) -> Path:
    (folder / "a.mp4").write_text("This is no video.\n" * 100)
    return folder / "a.mp4"


def random_bytes(folder: Path) -> Path:
    (folder / "a.mp3").write_bytes(bytes((number * 7919) % 251 for number in range(50_000)))
    return folder / "a.mp3"


def silent_film(folder: Path) -> Path:
    return make(folder / "a.mp4", *PICTURES)


def truncated(folder: Path) -> Path:
    whole = make_video(folder / "whole.mp4").read_bytes()
    (folder / "a.mp4").write_bytes(whole[: len(whole) // 2])
    return folder / "a.mp4"


def headless(folder: Path) -> Path:
    whole = make_video(folder / "whole.mp4").read_bytes()
    (folder / "a.mp4").write_bytes(whole[:32] + bytes(len(whole) - 32))
    return folder / "a.mp4"


def too_long(folder: Path) -> Path:
    return make(folder / "a.mp3", *SILENCE, "-t", "301")


def hls_of_a_file(folder: Path) -> Path:
    (folder / "a.mp4").write_text(HLS.format(url=FIXTURES / "talk" / "talk.mp4"))
    return folder / "a.mp4"


def concat_of_a_file(folder: Path) -> Path:
    (folder / "a.mp3").write_text(CONCAT.format(url=FIXTURES / "talk" / "talk.mp4"))
    return folder / "a.mp3"


def ended(up: Up, path: Path) -> JobStatusAnswer:
    return up.client.wait(up.client.upload(path, force=True).job_id, timeout_s=180)


@pytest.mark.parametrize(
    ("made", "codes"),
    [
        (text, {"unsupported_media"}),
        (random_bytes, {"unsupported_media", "corrupt_media"}),
        (silent_film, {"no_audio"}),
        (truncated, {"truncated_media", "corrupt_media"}),
        (headless, {"corrupt_media", "unsupported_media"}),
        (too_long, {"too_long"}),
        (hls_of_a_file, {"unsupported_media"}),
        (concat_of_a_file, {"unsupported_media"}),
    ],
)
def test_a_bad_file_fails_at_once_with_a_reason_and_a_next_step(
    up: Up, tmp_path: Path, made: Callable[[Path], Path], codes: set[str]
) -> None:
    status = ended(up, made(tmp_path))

    assert status.status == "failed"
    assert status.error is not None
    assert status.error.code in codes
    assert not status.error.retryable
    assert status.error.detail.endswith(".")
    assert status.error.hint.endswith(".")
    assert str(up.data_dir) not in status.error.detail
    assert status.attempt == 1 or status.stages[1].attempt == 1
    nothing_is_left(up)


@pytest.mark.parametrize("sound", [SILENCE, NOISE, MUSIC], ids=["silence", "noise", "music"])
def test_sound_without_speech_completes_with_a_warning_and_no_invented_text(
    up: Up, tmp_path: Path, sound: tuple[str, ...]
) -> None:
    status = ended(up, make(tmp_path / "a.mp3", *sound, "-t", "30"))

    assert status.status == "completed"
    assert status.warning is not None
    assert status.warning.startswith("no_speech")
    assert up.client.transcript(status.video_id or "").sentences == []
    nothing_is_left(up)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/status/404", "video_unavailable"),
        ("/page.html", "unsupported_url"),
        ("/page.txt", "unsupported_media"),
        ("/status/503", "source_unreachable"),
        ("/empty/talk.mp4", "source_unreachable"),
        ("/talk.mp4", "too_large"),
    ],
)
def test_a_bad_address_fails_with_a_reason_after_as_many_tries_as_may_help(
    tmp_path: Path, path: str, code: str
) -> None:
    site = tmp_path / "site"
    shutil.copytree(FIXTURES / "talk", site)
    (site / "page.html").write_text("<html><title>Words</title><p>There is no video here.</p></html>")
    (site / "page.txt").write_text("There is no video here.")
    settings = {"RETRY_DELAYS_S": "0.1,0.1,0.1", "POLL_S": "0.1", "MAX_DOWNLOAD_BYTES": "1000000"}
    with WebServer(site) as web, Up(tmp_path / "var", **settings) as up:
        status = up.client.wait(up.client.submit(web.url + path).job_id, timeout_s=180)

        assert status.error is not None
        assert (status.status, status.error.code) == ("failed", code), status.error.detail
        assert max(stage.attempt for stage in status.stages) == (4 if status.error.retryable else 1)
        nothing_is_left(up)


def nothing_is_left(up: Up) -> None:
    """Await that housekeeping has emptied the folders of files."""
    give_up = time.monotonic() + 120
    while left := [
        path for name in ("files", "tmp") for path in (up.data_dir / name).rglob("*") if path.is_file()
    ]:
        assert time.monotonic() < give_up, left
        time.sleep(0.05)


def test_silence_around_speech_moves_its_times_and_hardly_changes_its_words(up: Up, tmp_path: Path) -> None:
    source = FIXTURES / "speech" / "jfk.flac"
    padded = make(tmp_path / "padded.flac", "-i", str(source), "-af", "adelay=20000,apad=pad_dur=20")

    plain, late = (up.client.transcript(ended(up, path).video_id or "") for path in (source, padded))

    texts = [" ".join(s.text for s in transcript.sentences).lower() for transcript in (plain, late)]
    words = [re.sub(r"[^a-z ]", "", text) for text in texts]
    assert jiwer.wer(words[0], words[1]) <= 0.05  # one word of 22
    assert late.sentences[0].start_s == pytest.approx(20 + plain.sentences[0].start_s, abs=0.5)
