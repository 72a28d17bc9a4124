"""Dispatchers fire schedules: at their time, and any number of them each time exactly once."""

import multiprocessing
import threading
import time as real_time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import ConnectionClosed

from actors import dispatcher, pools
from actors import housekeeping as housekeeping_actors  # noqa: F401  # declares them
from app import clock, config
from app.config import Config
from app.models.base import connect, database, transactional
from app.models.jobs import Job
from app.models.messages import Outbox
from app.services import intake, outbox, schedules
from app.services.intake import Request
from tests.integration.conftest import StoppedClock
from tests.integration.test_schedules import end_jobs, put, runs
from tests.up import free_port

pytestmark = pytest.mark.usefixtures("house", "time")
MINUTES = 30


def test_the_dispatcher_fires_at_the_time_and_does_not_wait_for_its_next_look(
    settings: Config, time: StoppedClock
) -> None:
    config.use(replace(settings, poll_s=60))
    schedules.ensure_system_schedules(3600)
    time.pass_s(3599.9)
    transactional(outbox.add)("clean_up", "of some job", priority=0)
    stop = threading.Event()
    thread = threading.Thread(target=dispatcher.run, args=(stop,), daemon=True)
    thread.start()
    await_that(lambda: Outbox.get().lease_until is not None)
    assert runs() == []

    time.pass_s(0.1)

    await_that(lambda: runs() != [])
    stop.set()
    outbox.added.set()
    thread.join(10)


def test_what_the_broker_does_not_take_stays_to_be_published(monkeypatch: pytest.MonkeyPatch) -> None:
    job = intake.accept(Request("ada", "https://www.youtube.com/watch?v=jNQXAC9IVRw", "a name")).job
    pools.declare_actors()
    with monkeypatch.context() as away:
        away.setattr(dispatcher, "broker", RabbitmqBroker(url=f"amqp://127.0.0.1:{free_port()}"))
        with pytest.raises(ConnectionClosed):
            dispatcher.dispatch_due()
    assert [(row.subject, row.lease_until) for row in Outbox.select()] == [(job.id, None)]

    assert dispatcher.dispatch_due() == 1

    assert Outbox.select().count() == 0


def test_a_task_that_fails_does_not_hold_the_others_up() -> None:
    transactional(outbox.add)("clean_up", "of some job", priority=0)
    database.execute_sql("ALTER TABLE source RENAME TO source_gone")
    transactional(outbox.add)("download", "of another", priority=0, waits_for="source:youtube")
    stop = threading.Event()
    thread = threading.Thread(target=dispatcher.run, args=(stop,), daemon=True)

    thread.start()

    await_that(lambda: Outbox.select().where(Outbox.actor == "clean_up", Outbox.lease_until).count() == 1)
    stop.set()
    outbox.added.set()
    thread.join(10)


def await_that(condition: Callable[[], bool]) -> None:
    give_up = real_time.monotonic() + 10
    while not condition():
        assert real_time.monotonic() < give_up
        real_time.sleep(0.01)


def dispatch_every_minute(settings: Config, start: datetime, barrier: Barrier, fired: Any) -> None:
    """What each of several dispatchers does: look at the same moment as the others, minute after minute."""
    connect(config.use(settings).database())
    stopped = StoppedClock()
    clock.clock = stopped
    for minute in range(1, MINUTES + 1):
        stopped.moment = start + timedelta(minutes=minute)
        barrier.wait(120)
        count = schedules.fire_due()
        with fired.get_lock():
            fired.value += count
        barrier.wait(120)


def test_three_dispatchers_at_once_fire_every_time_exactly_once(settings: Config, time: StoppedClock) -> None:
    names = {
        put("* * * * *", name=name, payload={"language": name, "force": True}).id for name in ("de", "en")
    }
    spawn = multiprocessing.get_context("spawn")
    barrier, fired = spawn.Barrier(4), spawn.Value("i", 0)
    arguments = (settings, time.now(), barrier, fired)
    dispatchers = [spawn.Process(target=dispatch_every_minute, args=arguments) for _ in range(3)]
    for process in dispatchers:
        process.start()

    for _ in range(MINUTES):
        barrier.wait(120)
        barrier.wait(120)
        end_jobs()

    for process in dispatchers:
        process.join(60)
    times = Counter((run.schedule_id, run.fire_time) for run in runs())
    due = {
        (name, time.now() + timedelta(minutes=minute)) for name in names for minute in range(1, MINUTES + 1)
    }
    assert times == Counter(due)
    assert fired.value == Job.select().count() == len(due)
    assert {process.exitcode for process in dispatchers} == {0}
