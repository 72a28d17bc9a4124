"""Who waits for a slot spends nothing, comes in order, and is not forgotten."""

import queue
import threading
import time as wall
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app import clock, config
from app.config import Config
from app.errors import NotNow, WorkStopped
from app.models.base import database
from app.models.jobs import Chunk, Job, JobEvent, JobStage
from app.models.messages import Message, Outbox
from app.services import claims, jobs, limits, outbox
from app.services.messages import MessageRef
from tests.downloads import FAR, LOOPBACK, Download, Worker, dispatch, jobs_of, stage_of
from tests.integration.conftest import StoppedClock


@pytest.fixture
def worker(house: Config, time: StoppedClock) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


@pytest.fixture
def running(worker: Worker) -> list[Download]:
    """Downloads that hold all slots."""
    busy = jobs_of(2, source=f"{LOOPBACK}busy/")
    dispatch()
    return [worker.begin(job) for job in busy]


def test_waiting_costs_no_attempt_and_shows(worker: Worker, running: list[Download]) -> None:
    (job,) = jobs_of(1)
    dispatch()

    worker.attempt(job)

    row, stage = Job.get_by_id(job.id), stage_of(job)
    assert (row.state, row.started_at) == ("pending", None)
    assert (stage.state, stage.attempt, stage.started_at) == ("pending", 0, None)
    assert Message.get_by_id(job.message_id).state == "delayed"
    told = JobEvent.select().where(JobEvent.job == job.id).order_by(JobEvent.seq.desc()).first()
    assert (told.payload["status"], told.payload["waits_for"]) == ("pending", "download:127.0.0.1")
    running[0].end()
    assert dispatch() == [job.id]
    assert worker.begin(job).claim.attempt == 1


def test_the_slot_of_a_cancelled_download_is_given_on_when_its_work_has_stopped(
    worker: Worker, running: list[Download]
) -> None:
    (job,) = jobs_of(1)
    dispatch()
    worker.attempt(job)

    jobs.cancel(running[0].claim.job_id, "ada")

    assert dispatch() == []
    running[0].slot.close()
    assert dispatch() == [job.id]


def test_a_job_that_is_cancelled_while_it_waits_never_starts_and_holds_up_nobody(
    worker: Worker, running: list[Download]
) -> None:
    cancelled, job = jobs_of(2)
    dispatch()
    worker.attempt(cancelled), worker.attempt(job)

    jobs.cancel(cancelled.id, "ada")
    running[0].end()

    assert dispatch() == [job.id]
    with pytest.raises(WorkStopped):
        worker.attempt(cancelled)
    worker.begin(job)


def test_the_highest_priority_gets_the_next_slot_then_the_oldest_job(
    worker: Worker, running: list[Download]
) -> None:
    (low,) = jobs_of(1, source=f"{LOOPBACK}low/", priority=0)
    normal = jobs_of(2)
    (high,) = jobs_of(1, source=f"{LOOPBACK}high/", priority=2)
    dispatch()
    for job in (normal[1], low, high, normal[0]):
        worker.attempt(job)

    order = []
    for _ in range(4):
        running.pop().end()
        (published,) = dispatch()
        running.append(worker.begin(Job.get_by_id(published)))
        order.append(published)

    assert order == [job.id for job in (high, *normal, low)]


def test_a_newcomer_does_not_overtake_those_that_wait(worker: Worker, running: list[Download]) -> None:
    waiting, newcomer = jobs_of(2)
    dispatch()
    worker.attempt(waiting)
    running[0].end()

    assert worker.attempt(newcomer) is None

    assert dispatch() == [waiting.id]
    worker.begin(waiting)


def test_a_newcomer_does_not_take_the_start_of_one_that_waits(worker: Worker, time: StoppedClock) -> None:
    first, waiting, newcomer = jobs_of(3, source=FAR)
    dispatch()
    worker.begin(first).end()
    worker.attempt(waiting)
    time.pass_s(2)

    assert worker.attempt(newcomer) is None

    assert dispatch() == [waiting.id]
    worker.begin(waiting)


def test_a_slot_that_is_freed_wakes_the_dispatcher_of_this_process(running: list[Download]) -> None:
    outbox.added.clear()

    running[0].slot.close()

    assert outbox.added.is_set()


def test_a_chunk_waits_for_a_recogniser_while_its_job_runs(worker: Worker, running: list[Download]) -> None:
    (job,) = jobs_of(1)
    dispatch()
    Job.update(state="running", started_at=clock.now()).where(Job.id == job.id).execute()
    Chunk.create(job=job, position=0, start_s=0, end_s=30, state="pending")
    ref = MessageRef("c" * 36, "transcribe_chunk", job.id, 1, 0)
    config.use(replace(config.current(), recognisers_per_host=1))

    with limits.recognising():  # of one of those that run
        claim = claims.take(ref, 0, "one")
        assert claim is not None
        with pytest.raises(NotNow) as wait, limits.recognising():
            pass
        claims.put_back(claim, wait.value)

    limits.let_in()
    (row,) = outbox.claim_due()
    assert (row.actor, row.subject, row.position) == ("transcribe_chunk", job.id, 0)
    assert (Chunk.get(job=job).state, Chunk.get(job=job).attempt) == ("pending", 0)
    assert Job.get_by_id(job.id).state == "running"
    assert Job.get_by_id(job.id).started_at is not None


def test_who_waits_comes_back_by_itself_though_no_dispatcher_lets_it_in(
    worker: Worker, running: list[Download], time: StoppedClock
) -> None:
    wanted = jobs_of(2)
    dispatch()

    for job in wanted:
        worker.attempt(job)

    assert waits_s(time) == [60, 120]


def test_those_that_wait_for_their_start_get_a_time_of_their_own(worker: Worker, time: StoppedClock) -> None:
    config.use(replace(config.current(), downloads_per_source=4))
    first, *others = jobs_of(4, source=FAR)
    dispatch()
    worker.begin(first)

    for job in others:
        worker.attempt(job)

    assert waits_s(time) == [2, 4, 6]


def waits_s(time: StoppedClock) -> list[float]:
    rows = Outbox.select().order_by(Outbox.subject)
    return [(row.available_at - time.now()).total_seconds() for row in rows]


def test_work_that_is_put_back_before_its_message_is_noted_as_sent_is_not_forgotten(
    worker: Worker, running: list[Download]
) -> None:
    (job,) = jobs_of(1)
    (sent,) = outbox.claim_due()
    worker.attempt(job)

    outbox.mark_sent(sent)

    running[0].end()
    assert dispatch() == [job.id]


@pytest.mark.usefixtures("house")
def test_all_get_their_turn_with_one_attempt_and_never_more_than_the_limit_at_once() -> None:
    ids = {job.id for job in jobs_of(12)}
    broker: queue.Queue[str | None] = queue.Queue()
    at_work: set[str] = set()
    counts: list[int] = []

    def work() -> None:
        worker = Worker()
        while job_id := broker.get():
            if download := worker.attempt(Job.get_by_id(job_id)):
                at_work.add(job_id)
                wall.sleep(0.005)  # what a download takes
                counts.append(len(at_work))
                at_work.remove(job_id)
                download.end()
        database.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    give_up = wall.monotonic() + 60
    while JobStage.select().where((JobStage.name == "download") & (JobStage.state != "completed")).count():
        assert wall.monotonic() < give_up
        for job_id in dispatch():
            broker.put(job_id)
    for _ in threads:
        broker.put(None)
    for thread in threads:
        thread.join()

    assert max(counts) <= 2
    assert {stage.job_id for stage in JobStage.select().where(JobStage.attempt == 1)} == ids
