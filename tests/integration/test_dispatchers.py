"""Dispatchers fire schedules: at their time, and any number of them each time exactly once."""

import multiprocessing
import threading
import time as real_time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from actors import dispatcher
from actors import housekeeping as housekeeping_actors  # noqa: F401  # declares them
from app import clock, config
from app.config import Config
from app.models.base import connect, transactional
from app.models.jobs import Job
from app.models.messages import Outbox
from app.services import outbox, schedules
from tests.integration.conftest import StoppedClock
from tests.integration.test_schedules import end_jobs, put, runs

pytestmark = pytest.mark.usefixtures("house", "time")
MINUTES = 30


def test_the_dispatcher_fires_at_the_time_and_does_not_wait_for_its_next_look(
    settings: Config, time: StoppedClock
) -> None:
    config.use(Config(data_dir=settings.data_dir, poll_s=60))
    schedules.ensure_system_schedules()
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


def await_that(condition: Callable[[], bool]) -> None:
    give_up = real_time.monotonic() + 10
    while not condition():
        assert real_time.monotonic() < give_up
        real_time.sleep(0.01)


def dispatch_every_minute(data_dir: Path, start: datetime, barrier: Barrier, fired: Any) -> None:
    """What each of several dispatchers does: look at the same moment as the others, minute after minute."""
    settings = config.use(Config(data_dir=data_dir, allowed_sources=("www.youtube.com",)))
    connect(settings.database())
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
    arguments = (settings.data_dir, time.now(), barrier, fired)
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
