"""Cut a job's sound into chunks, for others to recognise."""

from actors.stage import stage
from app.services import media, transcripts


@stage(time_limit_ms=600_000)
def transcribe(job_id: str) -> None:
    """Store one chunk over the whole sound; the stage ends when its last chunk does."""
    transcripts.plan_chunks(job_id, [(0.0, media.job(job_id).duration_s or 0.0)])
