"""What an index promises: the embedded one on a real file and with real processes, and Qdrant's.

Qdrant's code runs in memory, and on the server that YTRAG_TEST_INDEX_URL names, where it is set.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from qdrant_client import QdrantClient

from app.engines import index_sqlite
from app.engines.index import Candidate, IndexedSegment, SearchIndex
from app.engines.index_qdrant import QdrantIndex, connect
from app.engines.index_sqlite import SqliteIndex
from app.errors import IndexUnreachable, SearchUnavailable
from tests.up import free_port

DIMENSION = 16
ROOT = Path(__file__).parents[2]
Vectors = NDArray[np.float32]
Videos = frozenset[str] | None


def vectors_of(count: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def segments_of(video_id: str, *texts: str) -> list[IndexedSegment]:
    return [IndexedSegment(f"{video_id}-{position}", text) for position, text in enumerate(texts)]


def ids(candidates: Sequence[Candidate]) -> list[str]:
    return [candidate.segment_id for candidate in candidates]


def by_words(index: SearchIndex, text: str, only: Videos = None) -> list[str]:
    return ids(index.candidates(text, None, only, 10)[1])


def by_vector(index: SearchIndex, vector: Vectors, only: Videos = None, k: int = 10) -> list[str]:
    return ids(index.candidates("", vector, only, k)[0])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


SERVER = os.environ.get("YTRAG_TEST_INDEX_URL", "")
"""A Qdrant server, whose data of ours the tests delete."""


@pytest.fixture(params=["file", "memory", *(["server"] if SERVER else [])])
def index(request: pytest.FixtureRequest, path: Path) -> Iterator[SearchIndex]:
    """Each kind of index."""
    found: SearchIndex = SqliteIndex(path)
    if request.param == "memory":
        found = QdrantIndex(QdrantClient(":memory:"), "memory")
    if request.param == "server":
        found = connect(SERVER, os.environ.get("YTRAG_TEST_INDEX_API_KEY", ""))
        found.clear()
    found.ensure(DIMENSION, "model-a")
    yield found
    found.clear()


@pytest.fixture
def file_index(path: Path) -> SqliteIndex:
    found = SqliteIndex(path)
    found.ensure(DIMENSION, "model-a")
    return found


def test_a_video_is_found_by_its_words_and_by_its_vectors(index: SearchIndex) -> None:
    vectors = vectors_of(2)
    index.upsert_video("v", "r1", segments_of("v", "rockets are landing", "bread is rising"), vectors)

    dense, keyword = index.candidates("a rocket landed", vectors[1], None, 10)

    assert ids(dense) == ["v-1", "v-0"]
    assert dense[0].score == pytest.approx(1.0, abs=1e-3)
    assert ids(keyword) == ["v-0"]


@pytest.mark.parametrize(("many", "found"), [(100, ["a-0", "a-1", "a-2"]), (3, ["a-0"])])
def test_a_word_that_nearly_all_hold_is_left_out_among_many(
    file_index: SqliteIndex, monkeypatch: pytest.MonkeyPatch, many: int, found: list[str]
) -> None:
    monkeypatch.setattr(index_sqlite, "MANY", many)
    file_index.upsert_video(
        "a", "1", segments_of("a", "the rocket landed", "a rocket", "rocket"), vectors_of(3)
    )

    assert sorted(by_words(file_index, "rocket landed")) == found
    assert sorted(by_words(file_index, "rocket")) == ["a-0", "a-1", "a-2"]


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_an_index_that_holds_nothing_answers_with_nothing(path: Path, kind: str) -> None:
    index = SqliteIndex(path) if kind == "file" else QdrantIndex(QdrantClient(":memory:"), "memory")

    assert index.candidates("rocket", vectors_of(1)[0], None, 10) == ([], [])
    assert index.stats().segments == 0


def test_the_scan_finds_exactly_what_brute_force_finds(index: SearchIndex) -> None:
    vectors, queries = vectors_of(2_000), vectors_of(20, seed=1)
    for number, start in enumerate(range(0, 2_000, 100)):
        segments = segments_of(str(number), *["text"] * 100)
        index.upsert_video(str(number), "r", segments, vectors[start : start + 100])

    found = [by_vector(index, query) for query in queries]

    stored = vectors.astype(np.float16).astype(np.float32)
    best = np.argsort(-(queries @ stored.T), axis=1)[:, :10]
    assert found == [[f"{row // 100}-{row % 100}" for row in rows] for rows in best]


def test_only_the_given_videos_are_searched(index: SearchIndex) -> None:
    vectors = vectors_of(3)
    for video_id, vector in zip("abc", vectors, strict=True):
        index.upsert_video(video_id, "r", segments_of(video_id, "a rocket"), vector[None])

    only = frozenset({"b", "c", "unknown"})

    assert set(by_words(index, "rocket", only)) == {"b-0", "c-0"}
    assert set(by_vector(index, vectors[0], only)) == {"b-0", "c-0"}
    assert index.candidates("rocket", vectors[0], frozenset(), 10) == ([], [])


def test_storing_a_video_again_replaces_all_it_had(index: SearchIndex) -> None:
    vectors = vectors_of(3)
    index.upsert_video("v", "r1", segments_of("old", "one rocket", "two rockets"), vectors[:2])
    index.upsert_video("w", "r1", segments_of("w", "bread"), vectors[2:])
    by_vector(index, vectors[0])

    index.upsert_video("v", "r2", segments_of("new", "three rockets"), vectors[:1])

    assert by_words(index, "rockets") == ["new-0"]
    assert set(by_vector(index, vectors[0])) == {"new-0", "w-0"}
    assert (index.stats().videos, index.stats().segments) == (2, 2)


def test_a_deleted_video_is_found_no_more(index: SearchIndex) -> None:
    vectors = vectors_of(2)
    index.upsert_video("v", "r", segments_of("v", "rocket"), vectors[:1])
    index.upsert_video("w", "r", segments_of("w", "rocket"), vectors[1:])
    by_vector(index, vectors[0])

    index.delete_video("v")
    index.delete_video("never there")

    assert by_words(index, "rocket") == ["w-0"]
    assert by_vector(index, vectors[0]) == ["w-0"]


def test_a_video_without_passages_can_be_stored(file_index: SqliteIndex) -> None:
    file_index.upsert_video("silent", "r", [], np.empty((0, DIMENSION), np.float32))

    assert by_vector(file_index, vectors_of(1)[0]) == []
    assert file_index.stats().videos == 1


def test_vectors_of_another_shape_are_refused_and_change_nothing(index: SearchIndex) -> None:
    index.upsert_video("v", "r", segments_of("v", "rocket"), vectors_of(1))

    with pytest.raises(ValueError, match=r"\(1, 3\), not \(1, 16\)"):
        index.upsert_video("v", "r", segments_of("v", "bread"), np.ones((1, 3), np.float32))

    assert by_words(index, "rocket") == ["v-0"]


def test_another_models_vectors_are_refused_until_the_index_is_cleared(index: SearchIndex) -> None:
    index.upsert_video("v", "r", segments_of("v", "rocket"), vectors_of(1))
    by_vector(index, vectors_of(1)[0])
    with pytest.raises(SearchUnavailable, match=r"model-a.*model-b"):
        index.ensure(8, "model-b")

    index.clear()
    index.ensure(8, "model-b")
    index.upsert_video("v", "r", segments_of("new", "rocket"), np.eye(1, 8, dtype=np.float32))

    assert by_vector(index, np.eye(1, 8, dtype=np.float32)[0]) == ["new-0"]
    assert index.stats().model == "model-b"


def test_a_server_that_does_not_answer_is_named() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    index = connect(address, "")

    for act in (index.stats, index.clear, lambda: index.ensure(3, "m"), lambda: index.delete_video("v")):
        with pytest.raises(IndexUnreachable, match=f"{address} does not answer"):
            act()


HOSTILE = '" ; "" OR " ; rocket AND NOT ( ; NEAR(text:rocket, 2) ; rocket* ^rocket -rocket ; \' DROP TABLE'
ODD = ["rocket\0bread", "🙂🚀", "\ud800 lone surrogate", "rocket " * 2_000, "x" * 10_000]
MANY = " ".join(f"word{number}" for number in range(2_000))


@pytest.mark.parametrize("query", [*HOSTILE.split(" ; "), *ODD, MANY])
def test_any_text_is_a_safe_query(index: SearchIndex, query: str) -> None:
    index.upsert_video("v", "r", segments_of("v", "rocket"), vectors_of(1))

    found = by_words(index, query)

    assert found == (["v-0"] if "rocket" in query else [])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("to be or not to be", "To be, or not to be, that is the question."),
        ("cafe", "Le café est ouvert."),
        ("東京の駅", "私は東京に住んでいます。"),
        ("don't", "I don’t know."),
        ("studies", "She wrote a study."),
    ],
)
def test_words_are_found_in_other_forms(index: SearchIndex, query: str, text: str) -> None:
    index.upsert_video("v", "r", segments_of("v", text, "Something else."), vectors_of(2))

    assert by_words(index, query) == ["v-0"]


OPEN = """
import sys
from pathlib import Path
import numpy as np
from app.engines.index import IndexedSegment
from app.engines.index_sqlite import SqliteIndex

index = SqliteIndex(Path(sys.argv[1]))
"""

WRITER = """
index.ensure(16, "model-a")
vectors = np.eye(40, 16, dtype=np.float32)
for round in range(int(sys.argv[2])):
    for video in range(5):
        segments = [IndexedSegment(f"{video}-{round}-{i}", f"rocket round{round}") for i in range(40)]
        index.upsert_video(str(video), str(round), segments, vectors)
        print(round, video, flush=True)
"""


def start_writer(path: Path, rounds: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPEN + WRITER, str(path), str(rounds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_another_process_stores_and_replaces_is_seen_at_once(
    path: Path, file_index: SqliteIndex
) -> None:
    query = np.eye(1, 16, dtype=np.float32)[0]
    for rounds in (1, 2):
        assert start_writer(path, rounds).wait() == 0

        found = by_vector(file_index, query, k=300)

        assert len(found) == len(set(found)) == 200
        assert {segment_id.split("-")[1] for segment_id in found} == {str(rounds - 1)}
        assert by_words(file_index, f"round{rounds - 1}", frozenset("3"))


def test_several_processes_may_create_and_write_the_file_together(path: Path) -> None:
    writers = [start_writer(path, rounds=5) for _ in range(4)]

    assert [writer.wait() for writer in writers] == [0] * 4
    assert SqliteIndex(path).stats().segments == 200


def test_threads_of_one_process_search_while_it_writes(file_index: SqliteIndex) -> None:
    query = np.eye(1, 16, dtype=np.float32)[0]
    vectors = np.eye(40, 16, dtype=np.float32)

    def store(version: int) -> None:
        file_index.upsert_video("v", str(version), segments_of(f"v{version}", *["rocket"] * 40), vectors)

    def search(_: int) -> int:
        found = [segment_id.split("-")[0] for segment_id in by_vector(file_index, query, k=40)]
        return len(found) * len(set(found))

    store(0)
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(3) as readers:
        stored = writer.map(store, range(1, 30))
        found = list(readers.map(search, range(100)))
        list(stored)

    assert found == [40] * 100  # one version, whole, each time
    assert by_vector(file_index, query, k=1)[0].startswith("v29-")


DIES_HALFWAY = """
import os, signal

class Deadly(list):
    def __iter__(self):
        yield from self[: len(self) // 2]
        os.kill(os.getpid(), signal.SIGKILL)

segments = Deadly(IndexedSegment(f"v-new-{i}", "rocket") for i in range(40))
index.upsert_video("v", "new", segments, np.eye(40, 16, dtype=np.float32))
"""


def test_a_writer_killed_halfway_through_a_video_leaves_what_was_there(
    path: Path, file_index: SqliteIndex
) -> None:
    file_index.upsert_video("v", "old", segments_of("v-old", "rocket"), vectors_of(1))

    died = subprocess.run([sys.executable, "-c", OPEN + DIES_HALFWAY, str(path)], cwd=ROOT, check=False)

    assert died.returncode == -signal.SIGKILL
    assert by_vector(file_index, vectors_of(1)[0]) == by_words(file_index, "rocket") == ["v-old-0"]
    assert file_index.stats().segments == 1


def test_writers_killed_at_any_moment_leave_whole_videos_and_all_that_they_acknowledged(path: Path) -> None:
    for attempt in range(5):
        writer = start_writer(path, rounds=1_000)
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(12)][-1]
        time.sleep(attempt * 0.002)  # the moment of the fault
        writer.kill()
        writer.communicate()

        index = SqliteIndex(path)
        found = by_vector(index, np.eye(1, 16, dtype=np.float32)[0], k=1_000)
        versions = {tuple(segment_id.split("-")[:2]) for segment_id in found}
        assert len(found) == 200
        assert len(versions) == 5
        assert all(int(version) >= int(acknowledged.split()[0]) - 1 for _, version in versions)
        assert {*ids(index.candidates("rocket", None, None, 1_000)[1])} == {*found}
