"""Batches: many videos at once, or all of a playlist or channel, each ingested by a job of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import peewee as pw
from ulid import ULID

from app import clock, config
from app.engines.listing import Listed
from app.engines.sources import canonical_list, canonical_url
from app.errors import InvalidInput, NotFound, YtragError
from app.models.base import transactional
from app.models.batches import Batch, BatchEntry
from app.models.jobs import ACTIVE, Job
from app.models.videos import Video, VideoAccess
from app.services import duplicates, outbox

ACTOR = "list_videos"
GOOD = (*ACTIVE, "completed")
MOST = 5000
"""Videos of one batch."""


@dataclass(frozen=True)
class Standing:
    """Where a batch stands: how many videos there are of each job state, and how far they are, per cent.

    refused: entries of which no job could be made. state: pending, listing, retrying (the listing's next
    attempt), running, completed or failed (the listing).
    """

    batch: Batch
    state: str
    total: int
    counts: dict[str, int]
    progress: float
    refused: list[BatchEntry]


@transactional
def create(
    owner: str,
    *,
    urls: Sequence[str] = (),
    url: str | None = None,
    most: int = MOST,
    since: date | None = None,
    only_new: bool = False,
    message_id: str | None = None,
    **wishes: Any,
) -> Batch:
    """Store the batch and have it listed and its jobs made; wishes are fields of intake.Request.

    InvalidInput and its kinds name the first address that cannot be taken.
    """
    if bool(urls) == bool(url):
        raise InvalidInput("Give either urls or url.")
    allowed = config.current().allowed_sources
    batch: Batch = Batch.create(
        id=str(ULID()),
        state="pending",
        owner=owner,
        url=canonical_list(url, allowed) if url else None,
        wishes=wishes,
        most=most,
        since=since,
        only_new=only_new,
        created_at=clock.now(),
        force_insert=True,
    )
    _add(batch, [Listed(canonical_url(one, allowed)) for one in urls])
    outbox.add(ACTOR, batch.id, priority=wishes.get("priority", 1), message_id=message_id)
    return batch


def add_listed(batch: Batch, title: str | None, videos: Sequence[Listed]) -> None:
    """Store what the list holds; call it inside a transaction, any number of times."""
    wanted = []
    for video in videos:
        try:
            wanted.append(Listed(canonical_url(video.url, config.current().allowed_sources), video.title))
        except YtragError as error:
            _refuse(batch, video, error)
    known = _known(batch, [video.url for video in wanted]) if batch.only_new else set()
    _add(batch, [video for video in wanted if video.url not in known])
    Batch.update(title=title, listed_at=clock.now()).where(Batch.id == batch.id).execute()


def _add(batch: Batch, videos: Sequence[Listed]) -> None:
    for position, video in enumerate(videos):
        about = {"position": position, "url": video.url, "title": video.title}
        BatchEntry.insert(batch=batch.id, key=_key(video.url), **about).on_conflict_ignore().execute()


def _key(url: str) -> str:
    return duplicates.digest([url])


def _refuse(batch: Batch, video: Listed, error: YtragError) -> None:
    about = {"position": 0, "url": video.url, "title": video.title, "key": _key(video.url)}
    why = {"error_code": error.code, "error_text": error.detail}
    BatchEntry.insert(batch=batch.id, **about, **why).on_conflict_ignore().execute()


def _known(batch: Batch, urls: Sequence[str]) -> set[str]:
    """Those of the addresses that the owner has had from this list before, or has otherwise now."""
    earlier = (Batch.owner == batch.owner) & (Batch.url == batch.url) & (Batch.id != batch.id)
    listed = BatchEntry.select(BatchEntry.url).join(Batch).where(earlier)
    jobs = Job.select(Job.url).where((Job.owner == batch.owner) & Job.url.in_(urls) & Job.state.in_(GOOD))
    mine = (VideoAccess.owner == batch.owner) & Video.webpage_url.in_(urls)
    videos = Video.select(Video.webpage_url).join(VideoAccess).where(mine)
    return {entry.url for entry in listed} | {job.url for job in jobs} | {v.webpage_url for v in videos}


def get(batch_id: str, owner: str | None) -> Batch:
    """The batch; NotFound where the owner (None: an admin) has none of that id."""
    found: Batch | None = Batch.get_or_none(id=batch_id)
    if found is None or owner not in (None, found.owner):
        raise NotFound(f"There is no batch {batch_id!r}.")
    return found


def standing(batch: Batch) -> Standing:
    """Where the batch stands."""
    entries = BatchEntry.batch == batch.id
    query = Job.select(Job.state, pw.fn.COUNT(Job.id), pw.fn.SUM(Job.progress)).join(BatchEntry)
    rows: Any = query.where(entries).group_by(Job.state).tuples()
    counts, done = {}, 0.0
    for state, count, progress in rows:
        counts[state] = count
        done += progress if state in ACTIVE else 100.0 * count
    refused = list(BatchEntry.select().where(entries & BatchEntry.error_code.is_null(is_null=False)))
    total = BatchEntry.select().where(entries).count()
    done += 100.0 * len(refused)
    progress = round(done / total, 1) if total else (100.0 if batch.state == "completed" else 0.0)
    return Standing(batch, _state(batch, counts), total, counts, progress, refused)


def _state(batch: Batch, counts: dict[str, int]) -> str:
    if batch.state != "completed":
        return "listing" if batch.state == "running" else str(batch.state)
    return "running" if any(state in ACTIVE for state in counts) else "completed"


def page(owner: str | None, *, before: str | None, limit: int) -> list[Batch]:
    """The owner's batches (None: all), newest first, those before the id."""
    query = Batch.select().order_by(Batch.id.desc()).limit(limit)
    if owner is not None:
        query = query.where(Batch.owner == owner)
    return list(query.where(Batch.id < before) if before else query)
