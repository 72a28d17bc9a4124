"""How long a search takes once its query is embedded, by the number of segments in the library.

A search is one thread's work, so its processor time is what it takes on a machine that does nothing else.
"""

import math
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from app import clock, config
from app.engines.index import IndexedSegment, search_index
from app.models import schema
from app.models.videos import Segment, Video, VideoAccess
from app.services import search
from tests.load.tables import table
from tests.up import ROOT

TARGET_MS, TARGET_SEGMENTS = 50, 100_000
SIZES = (1_000, 10_000, TARGET_SEGMENTS)
OF_VIDEO, SENTENCES, WORDS = 100, 3, 17
"""Segments of a video, sentences of a segment, words of a sentence."""

DIMENSION, MODEL = 384, "random"
WAYS = {
    "hybrid, an admin": (None, "hybrid"),
    "hybrid, a user": ("ada", "hybrid"),
    "semantic, a user": ("ada", "semantic"),
    "keyword, a user": ("ada", "keyword"),
}
Way = tuple[str | None, str]


@dataclass
class Took:
    """Milliseconds of each search: on the clock, and of a processor."""

    wall: list[float]
    processor: list[float]


class RandomVectors:
    """An Embedder that costs nothing: what it returns is as far from everything as from anything."""

    name, dimension = MODEL, DIMENSION

    def __init__(self) -> None:
        self._dice = np.random.default_rng(1)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Embedder."""
        vectors: NDArray[np.float32] = self._dice.standard_normal((len(texts), DIMENSION), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def measure(folder: Path, *, requests: int) -> list[str]:
    """Let the library grow, search it at each size, and return the figures as Markdown."""
    fixtures = ROOT / "tests" / "fixtures" / "search"
    words = re.findall(r"\w+", (fixtures / "library.txt").read_text())
    questions = [line.split("\t")[0] for line in (fixtures / "questions.tsv").read_text().splitlines()]
    settings = config.use(config.Config(data_dir=folder))
    schema.open_database(settings)
    vectors, dice = RandomVectors(), random.Random(1)  # the same library each time
    search_index().ensure(DIMENSION, MODEL)
    took: dict[tuple[int, str], Took] = {}
    videos = 0
    with patch.object(search, "embedder", lambda: vectors):
        for size in SIZES:
            for number in range(videos, size // OF_VIDEO):
                add_video(f"{number:026}", dice, words, vectors)
            videos = size // OF_VIDEO
            for name, way in WAYS.items():
                took[size, name] = ask(questions, way, requests)
    return described(took)


def add_video(video_id: str, dice: random.Random, words: list[str], vectors: RandomVectors) -> None:
    """Store and index a video of random sentences whose words are as frequent as in the talks."""
    now = clock.now()
    Video.create(id=video_id, extractor="youtube", external_id=video_id, title=f"Talk {video_id}",
                 webpage_url=f"https://www.youtube.com/watch?v={video_id[-11:]}", revision=video_id,
                 created_at=now, force_insert=True)  # fmt: skip
    VideoAccess.create(video=video_id, owner="ada", created_at=now)
    segments, indexed = [], []
    packed = vectors.embed([""] * OF_VIDEO * (1 + SENTENCES)).reshape(OF_VIDEO, 1 + SENTENCES, DIMENSION)
    for position in range(OF_VIDEO):
        sentences = [" ".join(dice.choices(words, k=WORDS)) for _ in range(SENTENCES)]
        text, segment_id = " ".join(sentences), f"{video_id}-{position}"
        indexed.append(IndexedSegment(segment_id, text))
        segments.append({
            "id": segment_id, "video": video_id, "revision": video_id, "position": position, "text": text,
            "start_s": position * 20.0, "end_s": position * 20.0 + 20,
            "sentences": [[said, position * 20.0, position * 20.0 + 20] for said in sentences],
            "vectors": packed[position].astype(np.float16).tobytes(), "embedder": MODEL,
        })  # fmt: skip
    Segment.insert_many(segments).execute()
    search_index().upsert_video(video_id, video_id, indexed, packed[:, 0])


def ask(questions: list[str], way: Way, requests: int) -> Took:
    """So many searches, after one that brings the index into memory."""
    owner, mode = way
    search.search(owner, questions[0], mode=mode)
    took = Took([], [])
    for number in range(requests):
        began, worked = time.perf_counter(), time.process_time()
        search.search(owner, questions[number % len(questions)], mode=mode)
        took.processor.append(1000 * (time.process_time() - worked))
        took.wall.append(1000 * (time.perf_counter() - began))
    return took


def described(took: dict[tuple[int, str], Took]) -> list[str]:
    """The figure that the target is about, then all of them."""
    slowest = max(p95(ms.processor) for (size, _), ms in took.items() if size == TARGET_SEGMENTS)
    target = f"target < {TARGET_MS} ms: {'met' if slowest < TARGET_MS else 'missed'}"
    rows = [
        (
            f"{size:,}: {name}",
            *(f"{of(ms):.1f}" for ms in (figures.processor, figures.wall) for of in (median, p95)),
        )
        for (size, name), figures in took.items()
    ]
    head = f"Search over {TARGET_SEGMENTS:,} segments, processor time of the slowest way: p95"
    return [
        f"{head} **{slowest:.1f} ms**; {target}.",
        "",
        *table(
            ("segments: search", "processor: median, ms", "p95, ms", "clock: median, ms", "p95, ms"), rows
        ),
    ]


def p95(values: list[float]) -> float:
    """What 95 of 100 do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
