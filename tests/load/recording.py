"""Long recordings, joined from the talk and the speech clips in tests/fixtures."""

from pathlib import Path

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
