"""So many at once and so far apart, whoever works or dies."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from actors import heartbeat
from app import config
from app.config import Config, Pool
from app.errors import CorruptMedia, NotNow, SourceUnreachable, StageError, WorkStopped
from app.models.base import database
from app.models.jobs import Job, JobStage
from app.services import claims, limits, recovery
from app.services.messages import MessageRef
from tests.downloads import FAR, Worker, dispatch, jobs_of
from tests.integration.conftest import StoppedClock


@pytest.fixture
def worker(house: Config, time: StoppedClock) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


def test_no_more_than_the_limit_run_at_once_from_one_host(worker: Worker) -> None:
    first, second, third = jobs_of(3)
    (elsewhere,) = jobs_of(1, source=FAR)

    worker.begin(first), worker.begin(second)

    assert worker.attempt(third) is None
    assert worker.attempt(elsewhere) is not None


def test_the_slot_of_a_worker_that_died_is_free_once_its_lease_has_run_out(
    worker: Worker, time: StoppedClock
) -> None:
    *others, job = jobs_of(3)
    dispatch()
    for other in others:
        worker.begin(other)
    assert worker.attempt(job) is None
    time.pass_s(59)
    assert dispatch() == []

    time.pass_s(1)

    assert job.id in dispatch()
    worker.begin(job)


def test_after_a_crash_of_the_only_process_its_slots_are_free_at_once(worker: Worker) -> None:
    *others, job = jobs_of(3)
    for other in others:
        worker.begin(other)

    recovery.recover(everything=True)

    worker.begin(job)


def test_a_slot_is_kept_for_as_long_as_its_worker_shows_a_heartbeat(
    worker: Worker, time: StoppedClock
) -> None:
    *others, job = jobs_of(3)
    running = [worker.begin(other) for other in others]

    with heartbeat.beating(running[0].claim), heartbeat.beating(running[1].claim):
        for _ in range(4):
            time.pass_s(50)
            heartbeat.beat()

    assert worker.attempt(job) is None


def test_a_worker_that_lost_its_slot_takes_it_from_nobody(worker: Worker, time: StoppedClock) -> None:
    *others, job, another = jobs_of(4)
    zombies = [worker.begin(other) for other in others]
    time.pass_s(61)
    worker.begin(job), worker.begin(another)

    for zombie in zombies:
        limits.renew(zombie.claim)
        zombie.slot.close()

    (late,) = jobs_of(1, source="http://127.0.0.1/late", priority=3)
    assert worker.attempt(late) is None


@pytest.mark.parametrize("error", [SourceUnreachable("no answer"), CorruptMedia("broken")])
def test_a_slot_is_free_after_a_failure(worker: Worker, error: StageError) -> None:
    *others, job = jobs_of(3)
    running = [worker.begin(other) for other in others]

    running[0].fail(error)

    worker.begin(job)


@pytest.mark.parametrize("error", [WorkStopped("cancelled"), RuntimeError("a fault"), KeyboardInterrupt()])
def test_a_slot_is_free_after_whatever_is_raised_in_it(worker: Worker, error: BaseException) -> None:
    first, second, third = jobs_of(3)
    worker.begin(first)
    claims.take(MessageRef(second.message_id, "download", second.id, 1), None, "one")

    with suppress(type(error)), limits.downloading(second.url):
        raise error

    worker.begin(third)


def test_starts_from_one_host_are_the_spacing_apart_in_order_and_waste_no_attempt(
    worker: Worker, time: StoppedClock
) -> None:
    began = time.now()
    starts: dict[str, float] = {}
    ids = [job.id for job in jobs_of(5, source=FAR)]

    while len(starts) < 5:
        for job_id in dispatch():
            if download := worker.attempt(Job.get_by_id(job_id)):
                starts[job_id] = (time.now() - began).total_seconds()
                download.end()
        time.pass_s(0.5)

    assert list(starts) == ids
    assert list(starts.values()) == [0, 2, 4, 6, 8]
    assert {row.attempt for row in JobStage.select().where(JobStage.name == "download")} == {1}


def test_this_machine_itself_needs_no_spacing(worker: Worker) -> None:
    assert all(worker.attempt(job) for job in jobs_of(2, source="http://localhost:8080/"))


def test_a_changed_limit_holds_from_the_next_start_on(worker: Worker) -> None:
    first, second, third, fourth, fifth = jobs_of(5)
    worker.begin(first), worker.begin(second)
    config.use(replace(config.current(), downloads_per_source=3))
    worker.begin(third)
    for download in worker.begun:
        download.end()
    config.use(replace(config.current(), downloads_per_source=1))

    worker.begin(fourth)

    assert worker.attempt(fifth) is None


def test_each_server_has_recognisers_of_its_own_as_many_as_its_threads_for_them(worker: Worker) -> None:
    config.use(replace(config.current(), workers_asr=Pool(1, 1)))
    for job in jobs_of(2):  # a claim of this thread, whatever it is for
        worker.begin(job).slot.close()

    with limits.recognising():
        with pytest.raises(NotNow, match="recogniser:"), limits.recognising():
            pass
        config.use(replace(config.current(), server_name="elsewhere"))
        with limits.recognising():
            pass


def begun_together(worker: Worker, wanted: list[Job]) -> int:
    """How many of these downloads begin when as many workers try at the same moment."""
    together = threading.Barrier(len(wanted))

    def work(job: Job) -> bool:
        try:
            together.wait()
            return worker.attempt(job) is not None
        finally:
            database.close()

    with ThreadPoolExecutor(len(wanted)) as workers:
        return sum(workers.map(work, wanted))


def test_workers_that_try_at_the_same_moment_share_the_slots(worker: Worker) -> None:
    assert begun_together(worker, jobs_of(6)) == 2


def test_workers_that_try_at_the_same_moment_are_spaced(worker: Worker) -> None:
    assert begun_together(worker, jobs_of(6, source=FAR)) == 1
