"""One worker at a time, results once, attempts counted, whatever dies."""

import os
import signal
import subprocess
import sys

import pytest

from app.config import Config
from app.errors import CorruptMedia, SourceUnreachable, WorkStopped
from app.models.jobs import Chunk, Job, JobStage
from app.models.messages import Message, Outbox
from app.services import claims, intake, jobs, outbox, recovery, transcripts
from app.services.claims import Claim
from app.services.intake import Request
from app.services.messages import MessageRef
from tests.integration.conftest import StoppedClock
from tests.up import ROOT

URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


@pytest.fixture
def job(house: Config, time: StoppedClock) -> Job:
    return intake.accept(Request(owner="ada", url=URL, name="Elephants")).job


def take(job: Job, stage: str = "download", worker: str = "one") -> Claim | None:
    return claims.take(MessageRef("m" * 36, stage, job.id, 1), None, worker)


def taken(job: Job, stage: str = "download", worker: str = "one") -> Claim:
    claim = take(job, stage, worker)
    assert claim is not None
    return claim


def stage_of(job: Job, name: str = "download") -> JobStage:
    return JobStage.get(job=job.id, name=name)


def test_a_stage_is_claimed_by_one_worker_only(job: Job) -> None:
    taken(job)

    with pytest.raises(WorkStopped):
        take(job, worker="two")

    assert stage_of(job).attempt == 1


def test_a_stage_does_not_start_before_the_one_before_it_is_done(job: Job) -> None:
    with pytest.raises(WorkStopped):
        take(job, "extract_audio")


def test_a_stage_that_is_done_is_not_done_again_but_lets_its_chain_go_on(job: Job) -> None:
    claims.finish(taken(job))

    assert take(job) is None
    assert taken(job, "extract_audio").attempt == 1


def test_a_worker_that_wakes_up_after_its_lease_stores_nothing(job: Job, time: StoppedClock) -> None:
    zombie = taken(job, worker="zombie")
    time.pass_s(61)
    recovery.recover()
    successor = taken(job, worker="successor")
    stored: list[str] = []

    with pytest.raises(WorkStopped):
        claims.finish(zombie, lambda: stored.append("zombie"))
    claims.finish(successor, lambda: stored.append("successor"))

    assert stored == ["successor"]
    assert stage_of(job).attempt == 2


def test_a_zombie_does_not_fail_or_retry_the_work_of_its_successor(job: Job, time: StoppedClock) -> None:
    zombie = taken(job, worker="zombie")
    time.pass_s(61)
    successor = taken(job, worker="successor")

    claims.give_up(zombie, CorruptMedia("broken"), "")
    claims.put_back(zombie)

    assert Job.get_by_id(job.id).state == "running"
    claims.finish(successor)
    assert stage_of(job).state == "completed"


def test_a_result_and_the_end_of_its_stage_are_stored_together_or_not_at_all(job: Job) -> None:
    claim = taken(job)

    def store() -> None:
        Job.update(media_key="half").where(Job.id == job.id).execute()
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError):
        claims.finish(claim, store)

    assert Job.get_by_id(job.id).media_key is None
    assert stage_of(job).state == "running"
    assert not claim.ended


def test_a_result_whose_commit_went_through_unheard_is_not_stored_a_second_time(job: Job) -> None:
    claim, stored = taken(job), []

    for _try in range(2):
        claims.finish(claim, lambda: stored.append("result"))

    assert stored == ["result"]
    assert claim.ended


def test_a_plan_whose_commit_went_through_unheard_makes_no_second_set_of_chunks(job: Job) -> None:
    for stage in ("download", "extract_audio"):
        claims.finish(taken(job, stage))
    claim = taken(job, "transcribe")

    for _try in range(2):
        transcripts.plan_chunks(job.id, [(0.0, 30.0), (30.0, 60.0)])

    assert Chunk.select().count() == 2
    assert claim.ended


def test_a_late_heartbeat_does_not_lease_a_stage_that_was_handed_over_to_its_chunks(
    job: Job, time: StoppedClock
) -> None:
    for stage in ("download", "extract_audio"):
        claims.finish(taken(job, stage))
    claim = taken(job, "transcribe")
    transcripts.plan_chunks(job.id, [(0.0, 30.0)])

    claims.renew(claim)
    time.pass_s(61)
    recovery.recover()

    assert stage_of(job, "transcribe").state == "running"
    assert stage_of(job, "transcribe").lease_until is None


def test_renewing_keeps_a_claim_beyond_its_first_lease(job: Job, time: StoppedClock) -> None:
    claim = taken(job)
    time.pass_s(50)
    claims.renew(claim)
    time.pass_s(50)

    assert recovery.recover() == 0
    claims.finish(claim)


def test_what_may_pass_is_tried_again_after_10_30_and_60_seconds_then_fails(
    job: Job, time: StoppedClock
) -> None:
    waits = []
    for attempt in range(1, 4):
        assert claims.give_up(taken(job), SourceUnreachable("no answer"), "trace") is True
        waits.append((stage_of(job).next_retry_at - time.now()).total_seconds())
        assert stage_of(job).attempt == attempt
        with pytest.raises(WorkStopped):
            take(job)
        time.pass_s(waits[-1])

    again = claims.give_up(taken(job), SourceUnreachable("no answer"), "trace")

    failed = Job.get_by_id(job.id)
    assert waits == [10, 30, 60]
    assert not again
    assert (failed.state, failed.error_code) == ("failed", "source_unreachable")
    assert Message.get_by_id("m" * 36).state == "dead"


def test_what_cannot_pass_fails_at_once(job: Job) -> None:
    assert not claims.give_up(taken(job), CorruptMedia("broken"), "trace")

    failed = Job.get_by_id(job.id)
    assert (failed.state, failed.error_code, failed.error_text) == ("failed", "corrupt_media", "broken")
    assert {row.state for row in JobStage.select().where(JobStage.name != "download")} == {"skipped"}


def test_a_job_that_kills_each_of_its_workers_ends_as_worker_lost(job: Job, time: StoppedClock) -> None:
    for _attempt in range(4):
        taken(job)
        time.pass_s(61)
        recovery.recover()

    failed = Job.get_by_id(job.id)
    assert (failed.state, failed.error_code) == ("failed", "worker_lost")
    assert stage_of(job).attempt == 4


def test_a_lost_stage_is_published_again(job: Job, time: StoppedClock) -> None:
    outbox.drop_job(job.id)
    taken(job)
    time.pass_s(61)

    recovery.recover()

    assert [(row.actor, row.subject) for row in Outbox.select()] == [("download", job.id)]


STANDS_STILL = """
import os, signal, sys
from app.models.base import connect, transactional
from app.models.jobs import JobStage

tries = []

@transactional
def report():
    mine = (JobStage.job == sys.argv[2]) & (JobStage.name == "download")
    JobStage.update(progress=0.5).where(mine).execute()
    tries.append("one")
    if len(tries) == 1:
        os.kill(os.getpid(), signal.SIGSTOP)

connect(sys.argv[1])
report()
print(len(tries))
"""


@pytest.mark.parametrize("settings", ["mysql"], indirect=True)
def test_a_worker_that_stands_still_within_a_transaction_holds_nobody_up(
    job: Job, time: StoppedClock, settings: Config
) -> None:
    outbox.drop_job(job.id)
    taken(job)
    time.pass_s(61)
    still = [sys.executable, "-c", STANDS_STILL, settings.database_url, job.id]
    with subprocess.Popen(still, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        os.waitpid(worker.pid, os.WUNTRACED)

        recovered = recovery.recover()

        worker.send_signal(signal.SIGCONT)
        tries, _ = worker.communicate()
    assert recovered == 1
    assert (stage_of(job).state, stage_of(job).progress) == ("pending", 0.5)
    assert (worker.returncode, tries.strip()) == (0, "2")


def test_work_that_is_put_back_at_a_shutdown_costs_no_attempt(job: Job) -> None:
    claims.put_back(taken(job))

    assert taken(job, worker="two").attempt == 1


def test_a_cancelled_job_never_starts_its_next_stage(job: Job) -> None:
    claim = taken(job)

    jobs.cancel(job.id, "ada")
    claims.renew(claim)

    with pytest.raises(WorkStopped):
        claim.report(0.5)
    with pytest.raises(WorkStopped):
        claims.finish(claim)
    with pytest.raises(WorkStopped):
        take(job, "extract_audio")
    assert Job.get_by_id(job.id).state == "cancelled"
