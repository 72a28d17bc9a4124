"""Does the same to many jobs on behalf of an operator, who sees in the audit log how far it is."""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from app.errors import Conflict, YtragError
from app.models.base import release, transactional
from app.models.jobs import Job
from app.services import audit, repairs, retries
from app.services.keys import Caller
from app.services.selection import Selection

log = logging.getLogger(__name__)

ACTIONS: dict[str, Callable[[str, str | None], Any]] = {
    "requeue": retries.retry,
    "delete": repairs.delete_job,
}
TELL_EVERY = 50

_at_work = threading.Lock()


def apply(caller: Caller, action: str, job_ids: list[str]) -> int:
    """Do it to these jobs now; the id of the entry in the audit log that says how it went."""
    entry = audit.note(caller, action, f"jobs {', '.join(job_ids)}", "begun")
    _run(entry, action, job_ids)
    return entry


def begin(caller: Caller, action: str, wanted: Selection, about: str) -> int:
    """Begin to do it to all selected jobs, apart from the request; the id of its entry in the audit log.

    Conflict while this process does another such thing. A process that dies meanwhile leaves the rest undone.
    """
    if not _at_work.acquire(blocking=False):
        raise Conflict("Another such action is at work; the audit log shows how far it is.")
    try:
        entry = audit.note(caller, action, f"all jobs: {about}", "begun")
        threading.Thread(target=_work, args=(entry, action, wanted), name="mass", daemon=True).start()
    except BaseException:
        _at_work.release()
        raise
    return entry


def _work(entry: int, action: str, wanted: Selection) -> None:
    try:
        _run(entry, action, _ids(wanted))
    except Exception:
        log.exception("mass action broke off", extra={"entry": entry})
        audit.amend(entry, "broke off; the server's log says why. What was done stays done.")
    finally:
        _at_work.release()
        release()


def _ids(wanted: Selection) -> list[str]:
    """All at once: what is done to a job may put it on this list or take it off."""
    return [job.id for job in wanted.apply(Job.select(Job.id))]


def _run(entry: int, action: str, job_ids: Iterable[str]) -> None:
    done, refused, do = 0, dict[str, int](), transactional(ACTIONS[action])
    outcome = "nothing to do"
    for number, job_id in enumerate(job_ids, 1):
        try:
            do(job_id, None)
            done += 1
        except YtragError as error:
            refused[error.code] = refused.get(error.code, 0) + 1
        outcome = _told(done, refused)
        if number % TELL_EVERY == 0:
            audit.amend(entry, f"at work: {outcome}")
    audit.amend(entry, outcome)


def _told(done: int, refused: dict[str, int]) -> str:
    why = "".join(f", {count} refused ({code})" for code, count in sorted(refused.items()))
    return f"{done} done{why}"
