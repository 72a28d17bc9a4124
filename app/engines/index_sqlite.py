"""The embedded index: one SQLite file, FTS5 for words, and a scan of all vectors by faiss."""

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engines.index import CJK, Candidate, IndexedSegment, IndexStats, keywords
from app.errors import OutOfSpace, SearchUnavailable

# A video gets a new and higher number each time it is stored: readers know by it what they have not read yet.
# Its passages have the rowids from number << SHIFT on.
SCHEMA = """
CREATE TABLE IF NOT EXISTS contents (
    id INTEGER PRIMARY KEY CHECK (id = 1), model TEXT NOT NULL, dimension INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS video (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, revision TEXT NOT NULL,
    segments INTEGER NOT NULL, vectors BLOB NOT NULL
);
CREATE VIRTUAL TABLE IF NOT EXISTS passage USING fts5 (
    text, segment UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2'
);
"""
SHIFT = 20
BUSY_TIMEOUT_S = 30
MANY = 10_000
"""Passages, from which on it pays to leave out the words that nearly all of them hold."""

MAX_WORDS = 32
"""Words of a query that are looked up; each costs a list of passages to read."""


class SqliteIndex:
    """A SearchIndex in a file that several processes may read and write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._vectors = _Vectors()

    def ensure(self, dimension: int, model: str) -> None:
        if self._contents() == (model, dimension):
            return
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO contents VALUES (1, ?, ?) ON CONFLICT DO UPDATE"
                " SET (model, dimension) = (excluded.model, excluded.dimension)"
                " WHERE NOT EXISTS (SELECT 1 FROM video)",
                (model, dimension),
            )
        held = self._contents()
        if held != (model, dimension):
            raise SearchUnavailable(
                f"The index holds vectors of {held[0]} ({held[1]} dimensions), not of {model} ({dimension})."
            )

    def upsert_video(
        self, video_id: str, revision: str, segments: Sequence[IndexedSegment], vectors: NDArray[np.float32]
    ) -> None:
        packed = vectors.astype(np.float16).tobytes()
        with self._writing() as connection:
            expected = (len(segments), self._contents()[1])
            if vectors.shape != expected:
                raise ValueError(
                    f"The vectors' shape is {vectors.shape}, not {expected} (segments, dimension)."
                )
            _remove(connection, video_id)
            number = connection.execute(
                "INSERT INTO video (id, revision, segments, vectors) VALUES (?, ?, ?, ?)",
                (video_id, revision, len(segments), packed),
            ).lastrowid
            assert number is not None
            connection.executemany(
                "INSERT INTO passage (rowid, text, segment) VALUES (?, ?, ?)",
                (
                    (rowid, _spaced(segment.text), segment.segment_id)
                    for rowid, segment in enumerate(segments, start=number << SHIFT)
                ),
            )

    def delete_video(self, video_id: str) -> None:
        with self._writing() as connection:
            _remove(connection, video_id)

    def clear(self) -> None:
        with self._writing() as connection:
            for table in ("passage", "video", "contents"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  # names from the line above

    def candidates(
        self, text: str, vector: NDArray[np.float32] | None, video_ids: frozenset[str] | None, k: int
    ) -> tuple[list[Candidate], list[Candidate]]:
        return self._by_vector(vector, video_ids, k), self._by_words(text, video_ids, k)

    def stats(self) -> IndexStats:
        model, dimension = self._contents()
        connection = self._connection()
        (size_bytes,) = connection.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()
        videos, segments = connection.execute(
            "SELECT count(*), coalesce(sum(segments), 0) FROM video"
        ).fetchone()
        return IndexStats(videos, segments, size_bytes, model, dimension)

    def _by_vector(
        self, vector: NDArray[np.float32] | None, video_ids: frozenset[str] | None, k: int
    ) -> list[Candidate]:
        if vector is None:
            return []
        return self._vectors.nearest(self._connection(), vector, video_ids, k)

    def _by_words(self, text: str, video_ids: frozenset[str] | None, k: int) -> list[Candidate]:
        # In quotes nothing is an operator, and the tokenizer takes what it knows.
        match = " OR ".join(self._telling([f'"{_spaced(word)}"' for word in keywords(text)[:MAX_WORDS]]))
        if not match:
            return []
        only = "" if video_ids is None else f"AND rowid >> {SHIFT} IN ({_NUMBERS})"
        # Not FTS5's own `rank`: by that it sorts all that match, by this SQLite keeps the best k.
        best = (
            "SELECT rowid AS number, -bm25(passage) AS score FROM passage"  # noqa: S608  # `only` is ours
            f" WHERE passage MATCH :match {only} ORDER BY score DESC LIMIT :k"
        )
        rows = self._connection().execute(
            f"SELECT segment, score FROM ({best}) JOIN passage ON passage.rowid = number ORDER BY score DESC",  # noqa: S608
            {"match": match, "ids": json.dumps(list(video_ids or ())), "k": k},
        )
        return [Candidate(segment_id, score) for segment_id, score in rows]

    def _telling(self, words: list[str]) -> list[str]:
        """Of many passages, the words that no more than half of them hold, if there are such.

        The others weigh next to nothing in BM25, and cost the most: each passage that holds one is ranked.
        """
        query = self._connection().execute
        (passages,) = query("SELECT coalesce(sum(segments), 0) FROM video").fetchone()
        if passages < MANY:
            return words
        holding = "SELECT count(*) FROM passage WHERE passage MATCH ?"
        return [word for word in words if 2 * query(holding, (word,)).fetchone()[0] <= passages] or words

    def _contents(self) -> tuple[str | None, int | None]:
        row = self._connection().execute("SELECT model, dimension FROM contents").fetchone()
        return row or (None, None)

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)
            self._local.connection = connection
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        try:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise OutOfSpace(f"No space for the index: {error}.") from error
            raise


_NUMBERS = "SELECT number FROM video WHERE id IN (SELECT value FROM json_each(:ids))"


def _remove(connection: sqlite3.Connection, video_id: str) -> None:
    row = connection.execute("DELETE FROM video WHERE id = ? RETURNING number", (video_id,)).fetchone()
    if row is not None:
        first = row[0] << SHIFT
        connection.execute(
            "DELETE FROM passage WHERE rowid BETWEEN ? AND ?", (first, first + (1 << SHIFT) - 1)
        )


def _spaced(text: str) -> str:
    """Makes a word of each character of a script without spaces, which FTS5 would take as one long word."""
    return re.sub(f"[{CJK}]", r" \g<0> ", text)


class _Vectors:
    """All vectors in memory; reads what has changed in the file before each search."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of this process's searches only: writers never wait for it
        self._rows: Any = None  # faiss's index
        self._rowids = np.empty(0, np.int64)  # of the passage of each row
        self._videos: dict[
            int, tuple[str, int]
        ] = {}  # number: id and count of rows, in the order of the rows

    def nearest(
        self,
        connection: sqlite3.Connection,
        vector: NDArray[np.float32],
        video_ids: frozenset[str] | None,
        k: int,
    ) -> list[Candidate]:
        """The k nearest segments by inner product, the highest first."""
        with self._lock, connection:
            # One view of the file until the end; begun under the lock, so that the next one's is never older.
            connection.execute("BEGIN")
            try:
                self._follow(connection)
            except BaseException:  # half a step behind us would shift all rows: read the file anew next time
                self._videos, self._rowids = {}, self._rowids[:0]
                raise
            best = self._scan(vector, video_ids, k)
            names = dict(
                connection.execute(
                    "SELECT rowid, segment FROM passage WHERE rowid IN (SELECT value FROM json_each(?))",
                    (json.dumps([rowid for rowid, _ in best]),),
                )
            )
        return [Candidate(names[rowid], score) for rowid, score in best]

    def _scan(
        self, vector: NDArray[np.float32], video_ids: frozenset[str] | None, k: int
    ) -> list[tuple[int, float]]:
        if not len(self._rowids):
            return []
        faiss = _faiss()
        faiss.omp_set_num_threads(1)  # one query is one thread's work: a second would only wait
        chosen = None if video_ids is None else self._mask(lambda _, video_id: video_id in video_ids)
        only = faiss.SearchParameters(sel=_selector(chosen))
        scores, rows = self._rows.search(vector.reshape(1, -1), k, params=only)
        found = rows[0] >= 0  # fewer than k: the rest is -1
        return list(zip(self._rowids[rows[0][found]].tolist(), scores[0][found].tolist(), strict=True))

    def _follow(self, connection: sqlite3.Connection) -> None:
        present = dict(connection.execute("SELECT number, id FROM video"))
        self._drop(self._videos.keys() - present.keys())
        if not self._videos:
            self._start(connection)
        new = connection.execute(
            "SELECT number, id, segments, vectors FROM video WHERE number > ? ORDER BY number",
            (max(self._videos, default=0),),
        )
        rowids = [self._rowids]
        for number, video_id, segments, packed in new:
            first = number << SHIFT
            self._rows.add_sa_codes(np.frombuffer(packed, np.uint8).reshape(segments, self._rows.code_size))
            self._videos[number] = (video_id, segments)
            rowids.append(np.arange(first, first + segments))
        self._rowids = np.concatenate(rowids)

    def _start(self, connection: sqlite3.Connection) -> None:
        faiss = _faiss()
        row = connection.execute("SELECT dimension FROM contents").fetchone()
        if row is not None:
            self._rows = faiss.IndexScalarQuantizer(
                row[0], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )

    def _drop(self, gone: Set[int]) -> None:
        if gone:
            mask = self._mask(lambda number, _: number in gone)
            self._rows.remove_ids(_selector(mask))
            self._rowids = self._rowids[~mask]
            self._videos = {number: kept for number, kept in self._videos.items() if number not in gone}

    def _mask(self, chosen: Callable[[int, str], bool]) -> NDArray[np.bool_]:
        """Which rows belong to the videos that are chosen by number and id."""
        return np.repeat(
            [chosen(number, video_id) for number, (video_id, _) in self._videos.items()],
            [count for _, count in self._videos.values()],
        )


def _selector(mask: NDArray[np.bool_] | None) -> Any:
    return None if mask is None else _faiss().IDSelectorBitmap(np.packbits(mask, bitorder="little"))


def _faiss() -> Any:  # its stubs lack what its Python layer adds
    import faiss

    return faiss
