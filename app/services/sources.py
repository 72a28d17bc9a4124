"""Sources: a host that refuses us is left alone by all jobs, until a probe passes or an operator says so.

Who must not go to its source waits in the outbox and spends no attempt. Once a source may be tried again, one
of them goes as the probe; when it is answered, all go.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from app import clock, config
from app.errors import NotNow, StageError
from app.models.base import after_commit, transactional
from app.models.jobs import Job, JobStage
from app.models.messages import Outbox
from app.models.sources import Source
from app.services import claims, outbox

log = logging.getLogger(__name__)

WAITS = "source:"
"""Before a source's name: what waits until it may be asked."""
DOWNLOADS = "download:"
"""Before a source's name: what waits for its turn."""
PAUSED = "source_paused"
NEXT_LOOK = timedelta(days=1)
"""When a waiting job would come back if no dispatcher let it in."""
PROBE_TAKES = timedelta(minutes=5)
"""After so long without an answer another job becomes the probe."""
ARRIVES_IN = timedelta(seconds=30)
"""What was let in and has not come to its source by then counts as lost."""
LONGEST_S = 86400.0
LIVE_LOOK = timedelta(minutes=30)
"""When to look again at what is announced or live, where nobody says how long it takes."""
LATE_LOOK = timedelta(minutes=5)
"""When to look again at what has not begun at its time."""
PATIENCE = timedelta(days=30)
"""Longer than this no job waits for its video."""


def name_of(url: str) -> str:
    """The source that the URL leads to."""
    return urlsplit(url).hostname or ""


@contextmanager
def visiting(url: str) -> Iterator[None]:
    """Go to the URL's source for this thread's claim, and note what it answers.

    NotNow where it is to be left alone, by what is known or by what it answers, and where the video itself
    has to be waited for.
    """
    name = name_of(url)
    is_probe = _admitted(name)
    try:
        yield
    except StageError as error:
        wait = _wait(name, error, is_probe=is_probe)
        if wait is None:
            raise
        raise wait from error
    except BaseException:
        if is_probe:
            _end_probe(name)
        raise
    if is_probe:
        close(name)


def _admitted(name: str) -> bool:
    """Whether the claim is the source's probe; NotNow where it may not go at all."""
    source = Source.get_or_none(name=name)
    if source is None or (source.state == "closed" and source.paused_at is None):
        return False
    now = clock.now()
    if source.paused_at is None and source.until <= now:
        same = (Source.name == name) & (Source.state == source.state) & (Source.until == source.until)
        probing = {"state": "half_open", "until": now + PROBE_TAKES, "probed_at": now}
        if Source.update(probing).where(same & Source.paused_at.is_null()).execute():
            log.info("probing a source", extra={"source": name})
            return True
    raise NotNow(at=now + NEXT_LOOK, waits_for=WAITS + name, because=_reason(source))


def _reason(source: Source) -> tuple[str, str]:
    if source.paused_at is not None:
        return PAUSED, f"{source.name} was paused by {source.paused_by}."
    return source.error_code or "", source.error_text or ""


def _wait(name: str, error: StageError, *, is_probe: bool) -> NotNow | None:
    """What the error makes the job wait for; None where the error is the job's own."""
    because = (error.code, error.detail)
    if error.policy == "wait":
        if is_probe:
            close(name)
        at = _next_look(getattr(error, "not_before", None))
        return NotNow(at=at, waits_for=None, because=because) if _age() < PATIENCE else None
    if _is_refusal(name, error):
        _open(name, error, is_probe=is_probe)
        return NotNow(at=clock.now() + NEXT_LOOK, waits_for=WAITS + name, because=because)
    if is_probe and error.policy == "retry":  # no answer at all
        _end_probe(name)
    elif is_probe:
        close(name)
    return None


def _next_look(not_before: datetime | None) -> datetime:
    """When the video is worth another look: at its time, and some minutes later where that has passed."""
    now = clock.now()
    if not_before is None:
        return now + LIVE_LOOK
    return not_before if not_before > now else now + LATE_LOOK


def _age() -> timedelta:
    job = Job.get_or_none(id=claims.current().job_id)
    return clock.now() - job.created_at if job else timedelta()


def _is_refusal(name: str, error: StageError) -> bool:
    """Whether the error says that the source refuses us, and not this video alone."""
    if error.policy == "slow":
        return True
    if error.policy == "operator":
        return error.blocks_source
    after = error.retries_before_operator
    claim = claims.current()
    return after is not None and claim.attempt > after and not _others_pass(name, claim.job_id)


def _others_pass(name: str, job_id: str) -> bool:
    """Whether the source has given others what they wanted since this job came to it."""
    mine = JobStage.get_or_none(job=job_id, name="download")
    since = mine.started_at if mine else None
    done = (JobStage.name == "download") & (JobStage.state == "completed") & (JobStage.finished_at > since)
    here = Job.url.contains(f"://{name}/")
    return since is not None and JobStage.select().join(Job).where(done & here).exists()


@transactional
def _open(name: str, error: StageError, *, is_probe: bool) -> None:
    """Have the source left alone: for as long as it says, else longer each time."""
    source, now = _locked(name), clock.now()
    if source.state != "closed" and not is_probe:  # another job has met the same already
        return
    failures = source.failures + 1
    asked_s = getattr(error, "retry_after_s", None)
    wait_s = min(asked_s or config.current().source_probe_s * 2 ** (failures - 1), LONGEST_S)
    changes = {
        "state": "open",
        "failures": failures,
        "error_code": error.code,
        "error_text": error.detail,
        "since": source.since if is_probe else now,
        "until": now + timedelta(seconds=wait_s),
    }
    Source.update(changes).where(Source.name == name).execute()
    log.warning("source left alone", extra={"source": name, "code": error.code, "for_s": wait_s})


def _locked(name: str) -> Source:
    """The source's row, made if need be, which stays as it is until the transaction ends."""
    Source.insert(name=name, since=clock.now()).on_conflict_ignore().execute()
    Source.update(failures=Source.failures).where(Source.name == name).execute()
    return Source.get_by_id(name)


@transactional
def _end_probe(name: str) -> None:
    """Let another job be the probe: this one came to no answer."""
    again = {"state": "open", "until": clock.now(), "probed_at": None}
    Source.update(again).where((Source.name == name) & (Source.state == "half_open")).execute()
    after_commit(outbox.added.set)


@transactional
def close(name: str) -> None:
    """Let all jobs go to the source again, one after the other; a pause stays."""
    well = {"state": "closed", "failures": 0, "error_code": None, "error_text": None, "until": None}
    open_ = (Source.name == name) & (Source.state != "closed")
    if Source.update({**well, "since": clock.now()}).where(open_).execute():
        log.info("source answers again", extra={"source": name})
    after_commit(outbox.added.set)


@transactional
def pause(name: str, *, by: str) -> None:
    """Let no job go to the source until it is resumed."""
    _locked(name)
    Source.update(paused_at=clock.now(), paused_by=by).where(Source.name == name).execute()


@transactional
def resume(name: str) -> None:
    """Let all jobs go to the source again."""
    Source.update(paused_at=None, paused_by=None).where(Source.name == name).execute()
    close(name)


def let_in() -> None:
    """Let a probe go where it is time for one, and all where the source is no longer left alone."""
    waiting = Outbox.select(Outbox.waits_for).where(Outbox.waits_for.startswith(WAITS)).distinct()
    for name in [str(row.waits_for).removeprefix(WAITS) for row in waiting]:
        source = Source.get_or_none(name=name)
        if source is None or (source.state == "closed" and source.paused_at is None):
            _let_all(name)
        elif source.paused_at is None and source.until <= clock.now():
            _let_one(source)


@transactional
def _let_all(name: str) -> None:
    """From now on they wait for their turn, at the source's spacing, as if they had just come."""
    spacing, now = timedelta(seconds=config.current().download_spacing_s), clock.now()
    line = Outbox.select().where(Outbox.waits_for == WAITS + name)
    ordered = list(line.order_by(Outbox.priority.desc(), Outbox.subject, Outbox.position))
    for place, row in enumerate(ordered):
        turn = {"waits_for": DOWNLOADS + name, "available_at": now + place * spacing}
        Outbox.update(turn).where((Outbox.id == row.id) & (Outbox.waits_for == WAITS + name)).execute()


@transactional
def _let_one(source: Source) -> None:
    """The one that has waited longest, so that no job is the probe twice while others have not been."""
    now = clock.now()
    not_yet = Source.probed_at.is_null() | (Source.probed_at < Source.until)
    lost = Source.probed_at < now - ARRIVES_IN
    same = (Source.name == source.name) & (Source.until == source.until) & Source.paused_at.is_null()
    if not Source.update(probed_at=now).where(same & (not_yet | lost)).execute():
        return
    line = Outbox.waits_for == WAITS + source.name
    first = Outbox.select().where(line).order_by(Outbox.id).first()
    if first:
        Outbox.update(available_at=now).where((Outbox.id == first.id) & line).execute()
