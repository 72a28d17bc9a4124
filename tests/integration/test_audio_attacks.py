"""Media files that name other files or addresses: the audio stage reads none; without its lists it does."""

from pathlib import Path
from typing import NamedTuple

import pytest

from app.engines import audio
from app.engines.audio import extract_audio
from app.errors import StageError
from tests.media_files import CONCAT, DASH, HLS, make_video
from tests.webserver import WebServer

NAMES = ("talk.mp4", "talk.m3u8", "upload")
KEYED = HLS.replace("#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF')


class Attack(NamedTuple):
    """What a file holds; {job} is another job's file, {web} an address; works: where there are no lists;
    what does not is refused by this ffmpeg itself.
    """

    name: str
    text: str
    works: bool = True


ATTACKS = (
    Attack("HLS of a job's file", HLS.format(url="{job}")),
    Attack("HLS of an address", HLS.format(url="{web}/attack.ts")),
    Attack("HLS key at an address", KEYED.format(url="{web}/attack.ts")),
    Attack("HLS of an HLS", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{web}/attack.m3u8\n"),
    Attack("ffconcat of a job's file", CONCAT.format(url="jobs/1/upload.ts")),
    Attack(
        "ffconcat by absolute path", CONCAT.format(url="{job}"), works=False
    ),  # ffmpeg refuses these itself
    Attack("ffconcat of an address", CONCAT.format(url="{web}/attack.ts"), works=False),
    Attack("DASH of an address", DASH.format(url="{web}/attack.ts"), works=False),
    Attack(
        "SDP of a stream",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        False,
    ),
)


def outcome(text: str, folder: Path, web: WebServer) -> tuple[str, str]:
    """How the file ends, by the name that gets it farthest, and what was read of what is not its own."""
    return max((attempt(text, folder / name, web) for name in NAMES), key=lambda end: end[1] != "nothing")


def attempt(text: str, source: Path, web: WebServer) -> tuple[str, str]:
    source.write_text(text)
    target = source.with_name("audio.wav")
    web.requests.clear()
    try:
        extract_audio(
            source, target, max_duration_s=60, expected_duration_s=None, on_progress=lambda _done: None
        )
        code = "sound"
        target.unlink()
    except StageError as error:
        code = error.code
    read = "the job's file" if code == "sound" and not web.requests else ""
    return code, f"{len(web.requests)} requests" if web.requests else read or "nothing"


def test_no_file_makes_the_audio_stage_read_another_and_without_its_lists_it_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "jobs" / "1" / "upload.ts"
    job.parent.mkdir(parents=True)
    make_video(job)
    site = tmp_path / "site"
    site.mkdir()
    make_video(site / "attack.ts")
    with WebServer(site) as web:
        texts = [attack.text.replace("{job}", str(job)).replace("{web}", web.url) for attack in ATTACKS]
        guarded = [outcome(text, tmp_path, web) for text in texts]
        monkeypatch.setattr(audio, "DEMUXERS", f"{audio.DEMUXERS},hls,concat,dash,mpegts")
        monkeypatch.setattr(audio, "PROTOCOLS", "file,http,tcp,crypto")
        bare = [outcome(text, tmp_path, web) for text in texts]

    print(f"\n{'audio stage':28}{'guarded':>20}{'read':>10}{'without lists':>20}{'read':>18}")
    for attack, here, there in zip(ATTACKS, guarded, bare, strict=True):
        print(f"{attack.name:28}{here[0]:>20}{here[1]:>10}{there[0]:>20}{there[1]:>18}")
    assert set(guarded) == {("unsupported_media", "nothing")}
    assert [read != "nothing" for _code, read in bare] == [attack.works for attack in ATTACKS]
