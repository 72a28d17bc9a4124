"""The index of several machines: Qdrant, with vectors for meaning and sparse BM25 vectors for words."""

import unicodedata
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import snowballstemmer
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from app.engines.index import Candidate, IndexedSegment, IndexStats, keywords, word_spans
from app.errors import IndexUnreachable, SearchUnavailable

if TYPE_CHECKING:
    from qdrant_client.conversions.common_types import PointStruct

PASSAGES, CONTENTS = "ytrag_passages", "ytrag_contents"
MEANING, WORDS = "meaning", "words"
K1, B, USUAL_WORDS = 1.2, 0.75, 60
"""Of BM25 (Robertson and Zaragoza, 2009), with how many words a passage has as a rule."""

MAX_WORDS = 32
TIMEOUT_S = 10
AT_ONCE = 256
"""Points in one request."""

NAMESPACE = uuid.UUID("b1c5d5a4-64d1-4f3f-9c5d-5f0b7e6a9a01")


def connect(url: str, api_key: str) -> "QdrantIndex":
    """The index of a server; nothing is asked of it yet."""
    found = QdrantClient(url=url, api_key=api_key or None, timeout=TIMEOUT_S, check_compatibility=False)
    return QdrantIndex(found, url)


class QdrantIndex:
    """A SearchIndex on a server; a video's new passages are there before the older ones go."""

    def __init__(self, client: QdrantClient, address: str) -> None:
        self._client, self._address = client, address

    def ensure(self, dimension: int, model: str) -> None:
        with self._answering():
            held = self._contents()
            if held is None or (held != (model, dimension) and not self._count()):
                self._make(dimension, model)
                held = self._contents()
        if held != (model, dimension):
            name, size = held or (None, None)
            raise SearchUnavailable(
                f"The index holds vectors of {name} ({size} dimensions), not of {model} ({dimension})."
            )

    def upsert_video(
        self, video_id: str, revision: str, segments: Sequence[IndexedSegment], vectors: NDArray[np.float32]
    ) -> None:
        with self._answering():
            expected = (len(segments), (self._contents() or ("", None))[1])
            if vectors.shape != expected:
                raise ValueError(
                    f"The vectors' shape is {vectors.shape}, not {expected} (segments, dimension)."
                )
            points = [
                self._point(video_id, revision, segment, vector)
                for segment, vector in zip(segments, vectors, strict=True)
            ]
            for start in range(0, len(points), AT_ONCE):
                self._client.upsert(PASSAGES, points[start : start + AT_ONCE], wait=True)
            older = models.FieldCondition(key="revision", match=models.MatchValue(value=revision))
            self._delete(models.Filter(must=[_is("video_id", video_id)], must_not=[older]))

    def delete_video(self, video_id: str) -> None:
        with self._answering():
            if self._contents():
                self._delete(models.Filter(must=[_is("video_id", video_id)]))

    def clear(self) -> None:
        with self._answering():
            for name in (PASSAGES, CONTENTS):
                self._client.delete_collection(name)

    def candidates(
        self, text: str, vector: NDArray[np.float32] | None, video_ids: frozenset[str] | None, k: int
    ) -> tuple[list[Candidate], list[Candidate]]:
        with self._answering():
            if not self._contents():
                return [], []
            dense = [] if vector is None else self._nearest(vector.tolist(), MEANING, video_ids, k)
            wanted = {_number(stem): 1.0 for stem in _stems(keywords(text)[:MAX_WORDS])}
            by_words = self._nearest(_sparse(wanted), WORDS, video_ids, k) if wanted else []
        return dense, by_words

    def stats(self) -> IndexStats:
        with self._answering():
            held = self._contents()
            if not held:
                return IndexStats(0, 0, None, None, None)
            count = self._count()
            videos = self._client.facet(PASSAGES, key="video_id", limit=count + 1, exact=True).hits
            return IndexStats(len(videos), count, None, *held)

    def _nearest(
        self,
        query: list[float] | models.SparseVector,
        using: str,
        video_ids: frozenset[str] | None,
        k: int,
    ) -> list[Candidate]:
        chosen = models.FieldCondition(key="video_id", match=models.MatchAny(any=sorted(video_ids or ())))
        only = None if video_ids is None else models.Filter(must=[chosen])
        if video_ids is not None and not video_ids:
            return []
        found = self._client.query_points(
            PASSAGES, query=query, using=using, query_filter=only, limit=k, with_payload=["segment_id"]
        )
        return [Candidate((point.payload or {})["segment_id"], point.score) for point in found.points]

    def _point(
        self, video_id: str, revision: str, segment: IndexedSegment, vector: NDArray[np.float32]
    ) -> "PointStruct":
        return models.PointStruct(
            id=str(uuid.uuid5(NAMESPACE, segment.segment_id)),
            vector={MEANING: vector.tolist(), WORDS: _sparse(_weights(segment.text))},
            payload={"segment_id": segment.segment_id, "video_id": video_id, "revision": revision},
        )

    def _make(self, dimension: int, model: str) -> None:
        for name in (PASSAGES, CONTENTS):
            self._client.delete_collection(name)
        self._client.create_collection(
            PASSAGES,
            vectors_config={MEANING: models.VectorParams(size=dimension, distance=models.Distance.DOT)},
            sparse_vectors_config={WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        for field in ("video_id", "revision"):
            self._client.create_payload_index(PASSAGES, field, models.PayloadSchemaType.KEYWORD, wait=True)
        self._client.create_collection(CONTENTS, vectors_config={})
        held = models.PointStruct(id=1, vector={}, payload={"model": model, "dimension": dimension})
        self._client.upsert(CONTENTS, [held], wait=True)

    def _contents(self) -> tuple[str, int] | None:
        """Model and dimension of what it holds."""
        try:
            found = self._client.retrieve(CONTENTS, [1])
        except (UnexpectedResponse, ValueError) as error:  # in memory it is a ValueError
            if getattr(error, "status_code", 404) != 404:
                raise
            return None
        payload = found[0].payload if found else None
        return (payload["model"], payload["dimension"]) if payload else None

    def _count(self) -> int:
        return self._client.count(PASSAGES, exact=True).count

    def _delete(self, which: models.Filter) -> None:
        self._client.delete(PASSAGES, models.FilterSelector(filter=which), wait=True)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise IndexUnreachable(f"The index at {self._address} does not answer: {reason}.") from error


def _is(field: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))


def _weights(text: str) -> dict[int, float]:
    """What each word of a passage weighs in BM25, without how rare it is: that the server knows."""
    stems = _stems([word for word, _, _ in word_spans(text)])
    length = 1 - B + B * len(stems) / USUAL_WORDS
    counts = Counter(_number(stem) for stem in stems)
    return {number: count * (K1 + 1) / (count + K1 * length) for number, count in counts.items()}


def _sparse(weights: dict[int, float]) -> models.SparseVector:
    return models.SparseVector(indices=[*weights], values=[*weights.values()])


def _stems(words: Sequence[str]) -> list[str]:
    return [_stem(word) for word in words]


@lru_cache(maxsize=10_000)
def _stem(word: str) -> str:
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", word) if not unicodedata.combining(sign))
    stem: str = snowballstemmer.stemmer("porter").stemWord(plain)
    return stem


def _number(stem: str) -> int:
    return zlib.crc32(stem.encode("utf-8", "surrogatepass"))
