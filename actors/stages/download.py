"""Fetch a video's sound from its source."""

from actors.stage import stage
from app.engines.media import media_source
from app.engines.storage import storage
from app.services import captions, claims, limits, media, sources, space
from app.values import Wish
from monitoring import metrics


@stage(time_limit_ms=2 * 3600 * 1000)
def download(job_id: str) -> None:
    """Store the best audio that the source offers, or captions that serve, and what is said of the video."""
    space.await_room()
    files, job = storage(), media.job(job_id)
    wish = Wish(job.mode, job.language)
    with sources.visiting(job.url), limits.downloading(job.url), files.workspace(job_id) as directory:
        fetched = media_source().download(job.url, directory, wish=wish, on_progress=claims.report)
        key = media.new_key(job_id, fetched.path.name) if fetched.path else ""
        if fetched.path:
            metrics.download_bytes_total.inc(fetched.path.stat().st_size)
            files.put(fetched.path, key)
    if fetched.captions:
        captions.store(job_id, fetched, fetched.captions)
    else:
        media.store_media(job_id, fetched, key)
