"""Give each passage and each of its sentences a vector."""

from actors.stage import stage
from app.engines.embedder import embedder
from app.services import claims, transcripts


@stage(time_limit_ms=1800_000)
def embed(job_id: str) -> None:
    """Store the vectors of the job's segments: passages are found by them, sentences chosen by them."""
    segments = transcripts.segments_of(job_id)
    if not segments:  # nothing was said: no model is needed
        return
    texts, engine = transcripts.indexed_texts(segments), embedder()
    vectors = []
    for done, (segment, text) in enumerate(zip(segments, texts, strict=True), start=1):
        vectors.append(engine.embed([text, *(sentence[0] for sentence in segment.sentences)]))
        claims.report(done / len(segments))
    transcripts.store_vectors(segments, vectors, engine.name)
