"""Long recordings, joined from the talk and the speech clips in tests/fixtures."""

import json
import wave
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from app.engines.waves import RATE_HZ
from tests.load.word_errors import references
from tests.media_files import make

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLIPS = (FIXTURES / "talk" / "talk.mp4", *sorted((FIXTURES / "speech").glob("*.[fo]*")))


def join_clips(path: Path, seconds: int) -> Path:
    """Write the clips one after the other, again and again, as the AAC stereo sound that YouTube serves."""
    count = len(CLIPS)
    alike = "".join(f"[{n}:a]aresample=44100,aformat=channel_layouts=stereo[s{n}];" for n in range(count))
    joined = "".join(f"[s{n}]" for n in range(count)) + f"concat=n={count}:v=0:a=1,aloop=-1:size=2e9"
    inputs = [argument for clip in CLIPS for argument in ("-i", f"file:{clip}")]
    sound = ("-c:a", "aac", "-aac_coder", "fast", "-b:a", "128k", "-movflags", "+faststart")
    return make(path, *inputs, "-filter_complex", alike + joined, "-t", str(seconds), *sound)


def repeat(path: Path, part: Path, times: int) -> Path:
    """Write the recording so many times in a row, without coding it anew."""
    return make(path, "-stream_loop", str(times - 1), "-i", f"file:{part}", "-c", "copy")


@dataclass(frozen=True)
class Recording:
    """Sound whose words are known; ends_s: where each of its clips ends, seconds."""

    path: Path
    said: str
    ends_s: tuple[float, ...]


def join_whole(path: Path, seconds: float) -> Recording:
    """Write clips, none of them cut and nothing between them, as 16 kHz WAV of at least so many seconds."""
    talk = json.loads((FIXTURES / "talk" / "talk.json").read_text(encoding="utf-8"))
    texts = {"talk.mp4": " ".join(sentence["text"] for sentence in talk["sentences"]), **references()}
    sounds = {clip.name: _frames(clip, path.with_suffix(f".{clip.stem}.wav")) for clip in CLIPS}
    said, ends_s, at_s = [], [], 0.0
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        for clip in cycle(CLIPS):
            if at_s >= seconds:
                break
            file.writeframes(sounds[clip.name])
            at_s += len(sounds[clip.name]) / 2 / RATE_HZ
            said.append(texts[clip.name])
            ends_s.append(at_s)
    return Recording(path, " ".join(said), tuple(ends_s))


def _frames(clip: Path, place: Path) -> bytes:
    make(place, "-i", f"file:{clip}", "-vn", "-ac", "1", "-ar", str(RATE_HZ))
    with wave.open(str(place), "rb") as file:
        return file.readframes(file.getnframes())
