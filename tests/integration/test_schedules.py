"""Schedules fire at their times, once each, whoever looks and whatever was missed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import peewee as pw
import pytest

from app import config
from app.config import Config
from app.models.base import database
from app.models.jobs import Job
from app.models.messages import Outbox
from app.models.schedules import Schedule, ScheduleRun
from app.services import retention, schedules
from app.services.actions import HOUSEKEEPING
from app.services.keys import Caller
from tests.integration.conftest import StoppedClock

pytestmark = pytest.mark.usefixtures("house", "time")
ADA = Caller("ada", "user")
URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


def put(cron: str = "0 * * * *", *, name: str = "hourly", **wish: Any) -> Schedule:
    wish["payload"] = {"url": URL, **wish.get("payload", {})}
    return schedules.put(ADA, name=name, action="ingest", cron=cron, **wish)[0]


def latest(schedule: Schedule) -> Schedule:
    return Schedule.get_by_id(schedule.id)


def runs() -> list[ScheduleRun]:
    return list(ScheduleRun.select().order_by(ScheduleRun.id))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


def end_jobs() -> None:
    Job.update(state="completed").execute()


def test_nothing_fires_before_its_time_and_all_at_it(time: StoppedClock) -> None:
    schedule = put()

    time.pass_s(3599)
    assert schedules.fire_due() == 0
    time.pass_s(1)
    assert schedules.fire_due() == 1
    assert schedules.fire_due() == 0

    after, (run,) = latest(schedule), runs()
    job = Job.get()
    assert (job.owner, job.url, job.state) == ("ada", URL, "pending")
    assert Outbox.get(subject=job.id).actor == "download"
    assert (run.fire_time, run.job_id) == (at("01 13:00"), job.id)
    assert (after.last_run, after.last_job_id) == (run.fire_time, job.id)
    assert after.next_run == at("01 14:00")


def test_what_was_missed_is_made_up_for_once_by_the_latest_time(time: StoppedClock) -> None:
    schedule = put()
    time.pass_s(3 * 86_400 + 1800)

    fired = [schedules.fire_due() for _ in range(3)]

    assert fired == [1, 0, 0]
    assert [run.fire_time for run in runs()] == [at("04 12:00")]
    assert latest(schedule).next_run == at("04 13:00")


def test_the_job_gets_the_wishes_of_the_payload(time: StoppedClock) -> None:
    put(payload={"mode": "asr", "priority": 2, "language": "de"})
    time.pass_s(3600)

    schedules.fire_due()

    job = Job.get()
    assert (job.mode, job.priority, job.language) == ("asr", 2, "de")


@pytest.mark.parametrize("force", [False, True])
def test_while_the_earlier_job_is_at_work_no_second_one_is_started(
    time: StoppedClock, *, force: bool
) -> None:
    put(payload={"force": force})

    for _ in range(3):
        time.pass_s(3600)
        schedules.fire_due()

    job = Job.get()
    assert Job.select().count() == 1
    assert [run.job_id for run in runs()] == [job.id] * 3
    assert ["still at work" in str(run.outcome) for run in runs()] == [False, True, True]


@pytest.mark.parametrize(("force", "jobs"), [(False, 1), (True, 2)])
def test_only_force_ingests_again_what_has_succeeded(time: StoppedClock, *, force: bool, jobs: int) -> None:
    put(payload={"force": force})

    for _ in range(2):
        time.pass_s(3600)
        schedules.fire_due()
        end_jobs()

    assert Job.select().count() == jobs
    assert ("before" in str(runs()[1].outcome)) is not force


def test_a_time_at_which_it_cannot_be_done_is_noted_and_the_next_one_comes(
    settings: Config, time: StoppedClock
) -> None:
    schedule = put()
    config.use(replace(settings, allowed_sources=("127.0.0.1",)))
    time.pass_s(3600)

    assert schedules.fire_due() == 1

    after = latest(schedule)
    assert Job.select().count() == 0
    assert str(after.last_outcome).startswith("source_not_allowed: ")
    assert after.last_outcome == runs()[0].outcome
    assert (after.enabled, after.next_run) == (True, at("01 14:00"))


def test_one_schedule_that_cannot_go_on_stops_no_other(time: StoppedClock) -> None:
    lost, good = put(name="lost"), put(name="good", payload={"language": "en"})
    Schedule.update(timezone="Mars/Olympus").where(Schedule.id == lost.id).execute()
    time.pass_s(3600)

    assert schedules.fire_due() == 2

    assert (latest(lost).enabled, latest(lost).next_run) == (False, None)
    assert latest(good).next_run == at("01 14:00")


def test_a_time_that_fired_before_a_clock_was_set_back_does_not_fire_again(time: StoppedClock) -> None:
    put(payload={"force": True})
    time.pass_s(3600)
    schedules.fire_due()
    end_jobs()
    time.pass_s(-60)
    put("0 */1 * * *", payload={"force": True})
    time.pass_s(60)

    assert schedules.fire_due() == 0

    assert Job.select().count() == 1
    assert Schedule.get().next_run == at("01 14:00")


def test_an_update_does_not_lose_a_time_that_is_due(time: StoppedClock) -> None:
    put()
    time.pass_s(3601)

    put(payload={"language": "de"})

    assert schedules.fire_due() == 1
    assert Job.get().language == "de"


def test_times_while_it_was_disabled_are_not_made_up_for(time: StoppedClock) -> None:
    schedule = put()
    schedules.set_enabled(schedule.id, "ada", enabled=False)
    time.pass_s(7200)
    assert schedules.fire_due() == 0

    schedules.set_enabled(schedule.id, "ada", enabled=True)

    assert schedules.fire_due() == 0
    assert latest(schedule).next_run == at("01 15:00")


@pytest.mark.parametrize(("cron", "fires"), [("0 12 * * *", 0), ("0 13 * * *", 1)])
def test_what_is_changed_under_a_dispatchers_hands_is_not_fired_as_it_was(
    time: StoppedClock, cron: str, fires: int
) -> None:
    stale = put()
    time.pass_s(1)
    put(cron)
    time.pass_s(3600)

    assert not schedules._fire(stale, time.now())

    assert runs() == []
    assert schedules.fire_due() == fires
    assert latest(stale).next_run == at(f"02 {cron[2:4]}:00")


def test_a_failure_in_mid_fire_leaves_the_time_due(time: StoppedClock) -> None:
    put()
    time.pass_s(3600)
    database.execute_sql("ALTER TABLE job_stage RENAME TO away")
    with pytest.raises(pw.DatabaseError, match="job_stage"):
        schedules.fire_due()
    assert (Job.select().count(), Outbox.select().count(), runs()) == (0, 0, [])
    database.execute_sql("ALTER TABLE away RENAME TO job_stage")

    assert schedules.fire_due() == 1

    assert Job.select().count() == 1


def test_deleting_a_schedule_deletes_what_it_did_and_no_job(time: StoppedClock) -> None:
    schedule = put()
    schedules.run_now(schedule.id, "ada")

    schedules.delete(schedule.id, "ada")

    assert runs() == []
    assert Job.select().count() == 1


def test_the_programs_own_schedule_is_made_once_and_stays_as_an_admin_left_it(time: StoppedClock) -> None:
    schedules.ensure_system_schedules(600)
    own = Schedule.get()
    schedules.set_enabled(own.id, None, enabled=False)

    schedules.ensure_system_schedules(3600)

    after = Schedule.get()
    assert (after.id, after.owner, after.enabled) == (own.id, "system", False)
    assert (own.cron, after.cron) == ("*/10 * * * *", "0 */1 * * *")


def test_housekeeping_is_asked_for_at_its_time_and_forgets_what_is_long_past(time: StoppedClock) -> None:
    schedules.ensure_system_schedules(3600)
    old = put(enabled=False)
    schedules.run_now(old.id, "ada")
    time.pass_s(91 * 86_400)

    schedules.fire_due()
    retention.keep_house()

    assert Outbox.get(actor="keep_house").subject == "retention"
    assert [run.schedule.owner for run in runs()] == ["system"]


def test_every_housekeeping_that_can_be_named_fits_its_message() -> None:
    assert all(len(name) <= 26 for name in HOUSEKEEPING)


def test_a_schedule_that_nothing_understands_says_so_and_holds_no_other_up(time: StoppedClock) -> None:
    broken, sound = put(name="broken"), put(name="sound", payload={"url": f"{URL[:-1]}x"})
    Schedule.update(payload={"url": URL, "voice": "of a later version"}).where(
        Schedule.id == broken.id
    ).execute()

    time.pass_s(3600)

    assert schedules.fire_due() == 2
    assert "voice" in str(latest(broken).last_outcome)
    assert latest(broken).next_run > time.now()
    assert Job.select().count() == 1
    assert latest(sound).last_job_id == Job.get().id
