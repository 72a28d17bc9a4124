"""Make a video's passages findable."""

from actors.stage import stage
from app.services import indexing, transcripts


@stage(time_limit_ms=600_000)
def index(job_id: str) -> None:
    """Put the job's segments into the index, then make them the video's transcript."""
    indexing.add(job_id)
    transcripts.publish(job_id)
