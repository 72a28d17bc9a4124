"""Turn a media file into the one form of sound that the recogniser takes."""

from actors.stage import stage
from app import config
from app.engines import audio
from app.engines.storage import storage
from app.services import claims, media, space


@stage(time_limit_ms=3600 * 1000)
def extract_audio(job_id: str) -> None:
    """Store the job's sound as 16 kHz mono WAV; refuses what is broken, silent by nature, or too long."""
    space.await_room()
    job, files = media.job(job_id), storage()
    with files.workspace() as directory, files.local(job.media_key or "") as source:
        target = directory / "audio.wav"
        duration_s = audio.extract_audio(
            source,
            target,
            max_duration_s=config.current().max_duration_s,
            expected_duration_s=job.duration_s,
            on_progress=claims.report,
        )
        key = media.new_key(job_id, target.name)
        files.put(target, key)
    media.store_audio(job_id, key, duration_s)
