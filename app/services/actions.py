"""What a schedule can do when its time has come."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from app import config
from app.engines.sources import canonical_list, canonical_url
from app.errors import InvalidInput
from app.models.jobs import ACTIVE, Job
from app.services import batches, intake, outbox
from app.services.intake import Request

HOUSEKEEPING = {"retention": "keep_house"}
"""The program's own recurring work, by name, and the actor that does it; a name has at most 26 letters."""


@dataclass(frozen=True)
class Started:
    """What came of it as a sentence, the message that does the work, and the job where there is one."""

    outcome: str
    message_id: str
    job: Job | None = None
    deduplicated: bool = False

    @property
    def job_id(self) -> str | None:
        """The job's id."""
        return self.job.id if self.job else None


def check(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload in the form that is stored; InvalidInput names what cannot be done.

    ingest: url, and mode, priority (0 to 3), language and force where wished. sync: the same but force, of a
    list, and limit where wished. housekeeping: name.
    """
    allowed = config.current().allowed_sources
    if action == "ingest":
        return {**payload, "url": canonical_url(payload["url"], allowed)}
    if action == "sync":
        return {**payload, "url": canonical_list(payload["url"], allowed)}
    if action != "housekeeping":
        raise InvalidInput(f"action is {action!r}; it may be ingest, sync or housekeeping.")
    if payload["name"] not in HOUSEKEEPING:
        raise InvalidInput(f"name is {payload['name']!r}; it may be {', '.join(HOUSEKEEPING)}.")
    return payload


def start(owner: str, action: str, payload: dict[str, Any]) -> Started:
    """Do it for the owner, inside the caller's transaction; errors as of check, as of now."""
    wish = check(action, payload)
    if action == "housekeeping":
        return _housekeep(**wish)
    return _ingest(owner, **wish) if action == "ingest" else _sync(owner, **wish)


def _ingest(owner: str, *, url: str, force: bool = False, **wishes: Any) -> Started:
    wanted = Request(owner=owner, url=url, name=f"Process video: {url}", **wishes)
    receipt = intake.accept(replace(wanted, force=force and not _is_active(wanted)))
    job = receipt.job
    if not receipt.deduplicated:
        outcome = "The video will be processed."
    elif job.state in ACTIVE:
        outcome = f"Job {job.id} is still at work on it; no second one was started."
    else:
        outcome = f"Job {job.id} has ingested it before; only 'force' does it again."
    return Started(outcome, job.message_id, job, receipt.deduplicated)


def _sync(owner: str, *, url: str, limit: int, **wishes: Any) -> Started:
    message_id = str(uuid4())
    batch = batches.create(owner, url=url, most=limit, only_new=True, message_id=message_id, **wishes)
    return Started(f"Batch {batch.id} will list it; new videos become jobs.", message_id)


def _is_active(wanted: Request) -> bool:
    """Whether a job is at work on the same: forcing one more at every time would pile them up."""
    holder = (Job.dedup_key == wanted.dedup_key()) & Job.state.in_(ACTIVE)
    return bool(Job.select().where(holder).exists())


def _housekeep(*, name: str) -> Started:
    return Started(f"Housekeeping will do {name}.", outbox.add(HOUSEKEEPING[name], name, priority=0))
