"""What recurs: added or updated by name, and fired once for each time, however many dispatchers there are."""

import logging
from datetime import datetime
from typing import Any

import peewee as pw
from ulid import ULID

from app import clock
from app.errors import Conflict, InvalidInput, NotFound, SystemSchedule, YtragError
from app.models.base import after_commit, database, transactional
from app.models.schedules import Schedule, ScheduleRun
from app.services import actions, outbox
from app.services.actions import Started
from app.services.keys import Caller
from app.services.recurrence import every, latest_time, next_time

log = logging.getLogger(__name__)

SYSTEM = "system"
"""The owner of the program's own schedules, which admins may run and disable, and nobody may change."""


def put(caller: Caller, *, name: str, action: str, **wish: Any) -> tuple[Schedule, bool]:
    """Add the caller's schedule of that name or update it; returns it and whether it is new.

    wish: cron, payload (as of actions.check), timezone (IANA, UTC unless given) and enabled, which stays as
    it is unless given. InvalidInput names what is wrong.
    """
    if caller.owner == SYSTEM:
        raise SystemSchedule(f"The owner {SYSTEM!r} is the program itself; use another owner's key.")
    if action == "housekeeping" and caller.role != "admin":
        raise InvalidInput("action is 'housekeeping', which only an admin may schedule.")
    return _put(caller.owner, name=name, action=action, **wish)


@transactional
def _put(
    owner: str,
    *,
    name: str,
    cron: str,
    action: str,
    payload: dict[str, Any],
    timezone: str = "UTC",
    enabled: bool | None = None,
) -> tuple[Schedule, bool]:
    now = clock.now()
    coming = next_time(cron, timezone, now)
    wish = {"cron": cron, "timezone": timezone, "action": action, "payload": actions.check(action, payload)}
    fresh, on = str(ULID()), enabled is not False
    new = {"id": fresh, "enabled": on, "next_run": coming if on else None, "created_at": now}
    Schedule.insert(owner=owner, name=name, updated_at=now, **new, **wish).on_conflict_ignore().execute()
    found = Schedule.get(owner=owner, name=name)
    if found.id != fresh:
        on = found.enabled if enabled is None else enabled
        if (found.cron, found.timezone) == (cron, timezone):
            coming = found.next_run or coming  # what is due and has not fired yet stays due
        changes = {**wish, "enabled": on, "next_run": coming if on else None, "updated_at": now}
        Schedule.update(changes).where(Schedule.id == found.id).execute()
    after_commit(outbox.added.set)
    return Schedule.get_by_id(found.id), found.id == fresh


def ensure_system_schedules(interval_s: float) -> None:
    """Add or update the program's own schedules; one that an admin has disabled stays so."""
    _put(
        SYSTEM,
        name="retention",
        cron=every(interval_s),
        action="housekeeping",
        payload={"name": "retention"},
    )


def get(schedule_id: str, owner: str | None) -> Schedule:
    """The schedule; NotFound where the owner (None: an admin) has none of that id."""
    found: Schedule | None = Schedule.get_or_none(id=schedule_id)
    if found is None or owner not in (None, found.owner):
        raise NotFound(f"There is no schedule {schedule_id!r}.")
    return found


def page(owner: str | None, *, before: str | None, limit: int) -> list[Schedule]:
    """The owner's schedules (None: all, with the program's own), newest first, those before the id."""
    query = Schedule.select().order_by(Schedule.id.desc()).limit(limit)
    if owner is not None:
        query = query.where(Schedule.owner == owner)
    if before:
        query = query.where(Schedule.id < before)
    return list(query)


@transactional
def set_enabled(schedule_id: str, owner: str | None, *, enabled: bool) -> Schedule:
    """Let the schedule fire from its next time on, or not any more; times in between are not made up for."""
    found = get(schedule_id, owner)
    now = clock.now()
    coming = (found.next_run or next_time(found.cron, found.timezone, now)) if enabled else None
    changes = {"enabled": enabled, "next_run": coming, "updated_at": now}
    Schedule.update(changes).where(Schedule.id == schedule_id).execute()
    after_commit(outbox.added.set)
    return get(schedule_id, owner)


@transactional
def delete(schedule_id: str, owner: str | None) -> None:
    """Forget the schedule; its jobs stay. SystemSchedule for the program's own."""
    if get(schedule_id, owner).owner == SYSTEM:
        raise SystemSchedule("This schedule is the program's own and cannot be deleted.")
    Schedule.delete().where(Schedule.id == schedule_id).execute()


@transactional
def run_now(schedule_id: str, owner: str | None) -> Started:
    """Do at once what the schedule does, enabled or not; errors as of actions.check."""
    found = get(schedule_id, owner)
    run = _claim(found, clock.now())
    if run is None:
        raise Conflict("This schedule was started at this very moment; see what it did.")
    started = actions.start(found.owner, found.action, found.payload)
    _note(run, started.outcome, started.job_id)
    return started


def fire_due() -> int:
    """Do what is due, for missed times the latest only, and return how many schedules fired."""
    now = clock.now()
    due = Schedule.select().where(Schedule.next_run <= now).order_by(Schedule.next_run)
    return sum(_fire(schedule, now) for schedule in list(due))


def seconds_to_next(most_s: float) -> float:
    """Seconds until the next schedule is due, at most most_s."""
    waiting = Schedule.select(Schedule.next_run).where(Schedule.next_run.is_null(is_null=False))
    first: Schedule | None = waiting.order_by(Schedule.next_run).first()
    if first is None:
        return most_s
    return float(min(most_s, max(0.0, (first.next_run - clock.now()).total_seconds())))


@transactional
def _fire(schedule: Schedule, now: datetime) -> bool:
    """Fire for the latest time that is due, unless another dispatcher did or its owner changed it."""
    at, coming = _times(schedule, now)
    same = (Schedule.next_run == schedule.next_run) & (Schedule.updated_at == schedule.updated_at)
    moved = Schedule.update(next_run=coming, enabled=coming is not None)
    if not moved.where((Schedule.id == schedule.id) & same).execute():
        return False
    run = _claim(schedule, at)
    if run is None:
        return False
    _note(run, *_start(schedule))
    return True


def _start(schedule: Schedule) -> tuple[str, str | None]:
    """Do it; what came of it as a sentence, and the job. Whatever is wrong with it is its own affair."""
    try:
        with database.atomic():
            started = actions.start(schedule.owner, schedule.action, schedule.payload)
    except YtragError as error:
        log.warning("schedule failed", extra={"schedule_id": schedule.id, "detail": error.detail})
        return f"{error.code}: {error.detail}", None
    except pw.PeeweeException:
        raise
    except Exception as error:  # as with a payload that another version stored
        log.exception("schedule failed", extra={"schedule_id": schedule.id})
        return f"{YtragError.code}: {error}", None
    return started.outcome, started.job_id


def _times(schedule: Schedule, now: datetime) -> tuple[datetime, datetime | None]:
    """The time to fire for, and the next one: none where this machine no longer knows the zone."""
    try:
        latest = latest_time(schedule.cron, schedule.timezone, now)
        return max(schedule.next_run, latest), next_time(schedule.cron, schedule.timezone, now)
    except InvalidInput as error:
        log.error("schedule disabled", extra={"schedule_id": schedule.id, "detail": error.detail})
        return schedule.next_run, None


def _claim(schedule: Schedule, at: datetime) -> ScheduleRun | None:
    """Take the time for this schedule; None where it was taken before, as when a clock was set back."""
    try:
        with database.atomic():
            return ScheduleRun.create(schedule=schedule, fire_time=at)
    except pw.IntegrityError:
        return None


def _note(run: ScheduleRun, outcome: str, job_id: str | None) -> None:
    ScheduleRun.update(job_id=job_id, outcome=outcome).where(ScheduleRun.id == run.id).execute()
    last = {"last_run": run.fire_time, "last_job_id": job_id, "last_outcome": outcome}
    Schedule.update(last).where(Schedule.id == run.schedule_id).execute()
