"""Limits that hold across all workers: so many at once, so far apart, and who comes next.

Slots are rows that are held by lease, so that a crash frees them. Who finds none waits in the outbox.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import peewee as pw

from app import clock, config
from app.config import LOOPBACK
from app.errors import NotNow
from app.models.base import after_commit, transactional
from app.models.limits import Lease
from app.models.messages import Outbox
from app.services import claims, outbox
from app.services.claims import Claim

log = logging.getLogger(__name__)

START = "start:"
"""Before a resource's name: a slot that each start holds for the spacing, and that nobody gives back."""


@contextmanager
def downloading(url: str) -> Iterator[None]:
    """Hold a slot of the URL's host for this thread's claim; NotNow where there is none for it yet."""
    settings, host = config.current(), urlsplit(url).hostname or ""
    spacing_s = 0.0 if host in LOOPBACK else settings.download_spacing_s
    with _slot(f"download:{host}", settings.downloads_per_source, spacing_s):
        yield


@contextmanager
def recognising() -> Iterator[None]:
    """Hold a slot for a recogniser on this server for this thread's claim; NotNow where there is none yet."""
    settings = config.current()
    with _slot(f"recogniser:{settings.name()}", settings.recognisers_per_host or settings.workers_asr.total):
        yield


@contextmanager
def _slot(resource: str, most: int, spacing_s: float = 0.0) -> Iterator[None]:
    claim = claims.current()
    _fit(resource, most)
    _fit(START + resource, 1 if spacing_s else 0)
    lease_id = _take(claim, resource, most, spacing_s)
    claim.lease_ids.add(lease_id)
    try:
        yield
    finally:
        claim.lease_ids.discard(lease_id)
        _give_back(lease_id, claim)


def _fit(resource: str, most: int) -> None:
    """Have as many slots as there may be holders."""
    if Lease.select().where(Lease.resource == resource).count() != most:
        _make_slots(resource, most)


@transactional
def _make_slots(resource: str, most: int) -> None:
    now = clock.now()
    for slot in range(most):
        Lease.insert(resource=resource, slot=slot, expires_at=now).on_conflict_ignore().execute()
    Lease.delete().where((Lease.slot >= most) & _free(resource, now)).execute()


def _free(resource: str, now: datetime) -> pw.Expression:
    return (Lease.resource == resource) & (Lease.expires_at <= now)


@transactional
def _take(claim: Claim, resource: str, most: int, spacing_s: float) -> int:
    """The slot that the claim holds now; NotNow, and nothing taken, unless it is the claim's turn."""
    now, lasts = clock.now(), timedelta(seconds=config.current().lease_s)
    free = [lease.id for lease in Lease.select().where(_free(resource, now) & (Lease.slot < most))]
    ahead = _ahead(claim, resource)
    behind = 1 + ahead - len(free)
    if behind > 0:
        raise NotNow(at=now + behind * lasts, waits_for=resource)
    if spacing_s:
        _start(resource, ahead, timedelta(seconds=spacing_s))
    for lease_id in free:
        if _hold(Lease.id == lease_id, now + lasts, claim.holder):
            return lease_id
    raise NotNow(at=now + lasts, waits_for=resource)


def _start(resource: str, ahead: int, spacing: timedelta) -> None:
    """Take the start that is due; NotNow, with a time of one's own, while it is not or others are ahead."""
    now, start = clock.now(), Lease.resource == START + resource
    if ahead or not _hold(start, now + spacing):
        row = Lease.get_or_none(start)
        raise NotNow(at=max(now, row.expires_at if row else now) + ahead * spacing, waits_for=resource)


def _hold(which: pw.Expression, until: datetime, holder: str | None = None) -> bool:
    free = which & (Lease.expires_at <= clock.now())
    return bool(Lease.update(holder=holder, expires_at=until).where(free).execute())


def _ahead(claim: Claim, resource: str) -> int:
    """How many wait for the resource that come before the claim: a higher priority, then an older job."""
    priority, job_id = claim.message.priority, claim.job_id
    older = Outbox.subject < job_id
    older |= (Outbox.subject == job_id) & (Outbox.position < (claim.position or 0))
    before = (Outbox.priority > priority) | ((Outbox.priority == priority) & older)
    return int(Outbox.select().where((Outbox.waits_for == resource) & before).count())


def renew(claim: Claim) -> None:
    """Prolong the slots that the claim holds, even a claim that was lost: its work has not stopped yet."""
    until = clock.now() + timedelta(seconds=config.current().lease_s)
    for lease_id in tuple(claim.lease_ids):
        Lease.update(expires_at=until).where(_held(lease_id, claim)).execute()


def _give_back(lease_id: int, claim: Claim) -> None:
    """Free the slot; should that fail, the attempt does not: it frees itself when its lease runs out."""
    try:
        _release(_held(lease_id, claim))
    except Exception:
        log.exception("slot not released", extra={"holder": claim.holder})


def _held(lease_id: int, claim: Claim) -> pw.Expression:
    return (Lease.id == lease_id) & (Lease.holder == claim.holder)


@transactional
def _release(which: pw.Expression) -> None:
    Lease.update(holder=None, expires_at=clock.now()).where(which).execute()
    after_commit(outbox.added.set)  # a dispatcher in this process lets the next one in at once


def free_all() -> None:
    """Free every slot, for a start at which no other worker can be alive; spacings go on."""
    _release(Lease.holder.is_null(is_null=False))


def let_in() -> None:
    """Bring forward what waits and whose turn it is: the highest priority first, then the oldest job."""
    waiting = Outbox.select(Outbox.waits_for).where(Outbox.waits_for.is_null(is_null=False)).distinct()
    for resource in [str(row.waits_for) for row in waiting]:
        _let_in(resource)


def _let_in(resource: str) -> None:
    now = clock.now()
    at, count = now, Lease.select().where(_free(resource, now)).count()
    start = Lease.get_or_none(resource=START + resource)
    if start:  # one after the other, or they would come out of their order
        at, count = max(now, start.expires_at), min(count, 1)
    waits = Outbox.waits_for == resource
    line = Outbox.select().where(waits).order_by(Outbox.priority.desc(), Outbox.subject, Outbox.position)
    for row in list(line.limit(count)):
        later = (Outbox.id == row.id) & waits & (Outbox.available_at > at)
        Outbox.update(available_at=at).where(later).execute()
