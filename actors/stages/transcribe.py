"""Cut a job's sound into chunks, for others to recognise."""

from actors.stage import stage
from app import config
from app.engines import cuts
from app.engines.storage import storage
from app.services import media, transcripts


@stage(time_limit_ms=600_000)
def transcribe(job_id: str) -> None:
    """Store chunks cut at silences; the stage ends when its last chunk does."""
    with storage().local(media.job(job_id).audio_key or "") as audio:
        plan = cuts.plan(audio, longest_s=config.current().chunk_s)
    transcripts.plan_chunks(job_id, plan.slices, plan.audio_hash)
