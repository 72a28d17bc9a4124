"""Give each passage and each of its sentences a vector."""

import numpy as np

from actors.stage import stage
from app.engines.embedder import embedder
from app.services import claims, transcripts

AT_ONCE = 16
"""Passages: the engine pads texts of like length together, and among many it finds them."""


@stage(time_limit_ms=1800_000)
def embed(job_id: str) -> None:
    """Store the vectors of the job's segments: passages are found by them, sentences chosen by them."""
    segments = transcripts.written_by(job_id)
    if not segments:  # nothing was said: no model is needed
        return
    passages, engine = zip(segments, transcripts.indexed_texts(segments), strict=True), embedder()
    texts = [[text, *(sentence[0] for sentence in segment.sentences)] for segment, text in passages]
    vectors = []
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        rows = engine.embed([text for one in some for text in one])
        vectors += np.split(rows, np.cumsum([len(one) for one in some])[:-1])
        claims.report(len(vectors) / len(segments))
    transcripts.store_vectors(segments, vectors, engine.name)
