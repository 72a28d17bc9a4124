"""Recognise the speech in one chunk of a job's sound."""

import time

from actors.stage import stage
from app import config
from app.engines.recogniser import recogniser
from app.engines.storage import storage
from app.services import chunks, claims, limits, media, transcripts
from monitoring import metrics


@stage(time_limit_ms=12 * 3600 * 1000)
def transcribe_chunk(job_id: str, position: int) -> None:
    """Store the words of the chunk, with their times."""
    job, chunk = media.job(job_id), media.chunk(job_id, position)
    with limits.recognising(), storage().local(job.audio_key or "") as audio:
        engine = recogniser()
        began = time.monotonic()
        recognition = engine.recognise(
            audio,
            start_s=chunk.start_s,
            end_s=chunk.end_s,
            language=job.language or job.spoken_language,
            on_progress=claims.report,
            on_language=lambda detected: chunks.settle_language(job_id, detected),
        )
    transcripts.store_words(job_id, position, recognition, engine.name)
    factor = (time.monotonic() - began) / (chunk.end_s - chunk.start_s)
    metrics.transcription_realtime_factor.labels(engine.name, config.current().whisper_device).observe(factor)
    metrics.transcribed_audio_seconds_total.labels(engine.name).inc(chunk.end_s - chunk.start_s)
