"""Fetch a video's sound from its source."""

from actors.stage import stage
from app.engines.media import media_source
from app.engines.storage import storage
from app.services import claims, limits, media


@stage(time_limit_ms=2 * 3600 * 1000)
def download(job_id: str) -> None:
    """Store the best audio that the source offers, and what the source says of the video."""
    files, url = storage(), media.job(job_id).url
    with limits.downloading(url), files.workspace() as directory:
        fetched = media_source().download(url, directory, on_progress=claims.report)
        key = media.new_key(job_id, fetched.path.name)
        files.put(fetched.path, key)
    media.store_media(job_id, fetched, key)
