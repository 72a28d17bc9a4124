"""How each source stands, and what operators do about it."""

from dataclasses import dataclass
from datetime import datetime

from app import clock, config
from app.engines.sources import canonical_host
from app.errors import NotFound
from app.models.limits import Lease
from app.models.messages import Outbox
from app.models.sources import Source
from app.services import sources
from app.services.sources import DOWNLOADS, WAITS
from app.services.statuses import Failure, failure


@dataclass(frozen=True)
class Standing:
    """How a source stands; waiting and running count jobs and listings."""

    source: str
    state: str
    paused: bool
    paused_by: str | None
    error: Failure | None
    since: datetime | None
    until: datetime | None
    last_probe_at: datetime | None
    waiting: int
    running: int


def every() -> list[Standing]:
    """All sources that were used, refused us or were paused, by name."""
    used = Lease.select(Lease.resource).where(Lease.resource.startswith(DOWNLOADS)).distinct()
    names = {str(lease.resource).removeprefix(DOWNLOADS) for lease in used}
    return [_of(name) for name in sorted(names | {source.name for source in Source.select(Source.name)})]


def _of(name: str) -> Standing:
    row = Source.get_or_none(name=name)
    held = (Lease.resource == DOWNLOADS + name) & (Lease.expires_at > clock.now())
    row = Source.get_or_none(name=name) or Source(name=name, state="closed", since=None)
    return Standing(
        source=name,
        state=row.state,
        paused=row.paused_at is not None,
        paused_by=row.paused_by,
        error=failure(row.error_code, row.error_text),
        since=row.since,
        until=row.until,
        last_probe_at=row.probed_at,
        waiting=Outbox.select().where(Outbox.waits_for == WAITS + name).count(),
        running=Lease.select().where(held).count(),
    )


def pause(name: str, *, by: str) -> Standing:
    """Let no job go to the source until it is resumed; NotFound where none may come from it anyway."""
    known = _known(name)
    sources.pause(known, by=by)
    return _of(known)


def resume(name: str) -> Standing:
    """Let all jobs go to the source again, whatever it answered and whoever paused it."""
    known = _known(name)
    sources.resume(known)
    return _of(known)


def _known(name: str) -> str:
    host = canonical_host(name)
    allowed = {canonical_host(one) for one in config.current().allowed_sources}
    if host not in allowed and not Source.select().where(Source.name == host).exists():
        raise NotFound(
            f"There is no source {name!r}; this server downloads from {', '.join(sorted(allowed))}."
        )
    return host
