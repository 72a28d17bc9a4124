"""Takes media files in: hashed and stored while they come, then ingested like any video."""

import hashlib
from pathlib import Path
from typing import IO

from ulid import ULID

from app import config
from app.engines.storage import storage
from app.errors import EmptyUpload, PayloadTooLarge
from app.models.base import transactional
from app.services import intake, videos
from app.services.intake import Receipt, Request
from app.values import Media

BLOCK_BYTES = 1024 * 1024


def accept(
    stream: IO[bytes],
    *,
    owner: str,
    filename: str,
    title: str,
    priority: int,
    language: str | None,
    force: bool,
    idempotency_key: str | None,
) -> Receipt:
    """Store the file and the job that ingests it; the same bytes again find the same job.

    EmptyUpload and PayloadTooLarge leave nothing behind.
    """
    files, job_id = storage(), str(ULID())
    with files.workspace() as directory:
        part = directory / "upload"
        digest = _save(stream, part)
        wanted = Request(
            owner=owner,
            url=f"upload:sha256:{digest}",
            name=f"Process video: {title}",
            mode="asr",
            priority=priority,
            language=language,
            force=force,
            idempotency_key=idempotency_key,
            media_key=f"jobs/{job_id}/upload",
            job_id=job_id,
        )
        media = Media(part, "upload", digest, title, webpage_url=f"upload:{filename}")
        files.put(part, f"jobs/{job_id}/upload")
    accepted = False
    try:
        receipt = _store(wanted, media)
        accepted = not receipt.deduplicated
        return receipt
    finally:
        if not accepted:
            files.delete(f"jobs/{job_id}")


@transactional
def _store(wanted: Request, media: Media) -> Receipt:
    receipt = intake.accept(wanted)
    if not receipt.deduplicated and receipt.job.follows_id is None:
        videos.attach(receipt.job.id, media)
    return receipt


def _save(stream: IO[bytes], target: Path) -> str:
    """Write the stream to the file and return its SHA-256."""
    most, size, digest = config.current().max_download_bytes, 0, hashlib.sha256()
    with target.open("wb") as file:
        while block := stream.read(BLOCK_BYTES):
            size += len(block)
            if size > most:
                raise PayloadTooLarge(
                    f"The file has more than {most} bytes, the most that this server takes."
                )
            digest.update(block)
            file.write(block)
    if size == 0:
        raise EmptyUpload("The file is empty: it has 0 bytes.")
    return digest.hexdigest()
