"""Cut a transcript into passages that a search can return."""

from actors.stage import stage
from app.engines.segmenter import segment_words
from app.services import transcripts


@stage(time_limit_ms=60_000)
def segment(job_id: str) -> None:
    """Replace the job's segments with passages of about 50 words cut at sentence ends."""
    words = transcripts.words_of(job_id)
    transcripts.replace_segments(job_id, segment_words(words))
