"""When a job will be done, as past jobs and its own speed tell."""

import dataclasses
from datetime import datetime

import pytest

from app import config
from app.config import Config, Pool
from app.errors import SourceUnreachable
from app.models.jobs import Job
from app.services import claims, intake, statuses
from app.services.intake import Request
from app.services.pace import KEEP_S
from app.services.selection import Selection
from app.services.statuses import JobStatus
from app.stages import CHUNK_ACTOR, NAMES
from tests.integration import work
from tests.integration.conftest import StoppedClock

pytestmark = pytest.mark.usefixtures("house")
TOOK_S = {"download": 6, "extract_audio": 3, "transcribe": 30, "segment": 1, "embed": 4, "index": 2}
"""For a video of 60 s."""


@pytest.fixture(autouse=True)
def _one_recogniser(house: Config) -> None:
    config.use(dataclasses.replace(house, workers_asr=Pool(1, 1)))


@pytest.fixture
def past(house: Config, time: StoppedClock) -> None:
    """One job that was done, a while ago."""
    do_at_pace(make(), time)


def do_at_pace(job_id: str, time: StoppedClock) -> None:
    """Do all of the job; and let pass what the process knows of the past, in which the job was not yet."""
    work.do(job_id, *NAMES, spend=lambda stage: time.pass_s(TOOK_S[stage]))
    time.pass_s(KEEP_S)


def make(**wishes: object) -> str:
    url = f"https://www.youtube.com/watch?v={Job.select().count():011d}"
    return intake.accept(Request("ada", url, url, **wishes)).job.id  # type: ignore[arg-type]  # as given


def known(**wishes: object) -> str:
    """A job whose video's length is known: as long as the past one's."""
    job_id = make(**wishes)
    Job.update(duration_s=work.DURATION_S).where(Job.id == job_id).execute()
    return job_id


def left_s(job_id: str, time: StoppedClock) -> float:
    """Seconds that the job is said to have left."""
    moment = statuses.of(job_id, "ada").estimated_completion
    assert moment is not None
    return round((moment - time.now()).total_seconds(), 3)


def status(job_id: str) -> JobStatus:
    return statuses.of(job_id, "ada")


def test_there_is_no_estimate_before_anything_was_learned(time: StoppedClock) -> None:
    assert status(known()).estimated_completion is None


@pytest.mark.usefixtures("past")
def test_there_is_no_estimate_while_the_length_is_unknown_or_once_a_job_has_ended() -> None:
    ended = Job.select().where(Job.state == "completed").get()

    assert status(make()).estimated_completion is None
    assert status(ended.id).estimated_completion is None


@pytest.mark.usefixtures("past")
def test_a_new_job_takes_as_long_as_those_before_it_by_the_second_of_video(time: StoppedClock) -> None:
    job_id = known()
    expected_s = sum(TOOK_S.values())

    assert left_s(job_id, time) == expected_s
    Job.update(duration_s=2 * work.DURATION_S).where(Job.id == job_id).execute()
    time.pass_s(5)
    assert left_s(job_id, time) == 2 * expected_s


@pytest.mark.usefixtures("past")
def test_stages_that_are_done_count_no_more(time: StoppedClock) -> None:
    job_id = known()

    work.do(job_id, *NAMES[:3])

    assert left_s(job_id, time) == TOOK_S["segment"] + TOOK_S["embed"] + TOOK_S["index"]


@pytest.mark.usefixtures("past")
def test_a_stage_that_is_half_done_is_judged_half_by_its_own_speed(time: StoppedClock) -> None:
    job_id = known()
    work.do(job_id, "download", "extract_audio", "transcribe", "segment")
    claim = work.take(job_id, "embed")

    time.pass_s(10)
    claim.report(0.5)
    claims.renew(claim)

    # At its own speed embed takes 20 s in all, at the learned one 4: 12 by halves, and half of that is left.
    assert left_s(job_id, time) == 6 + TOOK_S["index"]


@pytest.mark.usefixtures("past")
def test_recognition_is_judged_by_its_own_speed_too(time: StoppedClock) -> None:
    job_id = known()
    work.do(job_id, "download", "extract_audio")
    work.begin_recognition(job_id)
    claim = work.take(job_id, CHUNK_ACTOR)

    time.pass_s(90)
    claim.report(0.9)
    claims.renew(claim)

    # At its own speed it takes 100 s, at the learned one 30: 93 by nine tenths and one; 90 have passed.
    rest_s = TOOK_S["segment"] + TOOK_S["embed"] + TOOK_S["index"]
    assert left_s(job_id, time) == pytest.approx(3 + rest_s)


@pytest.mark.usefixtures("past")
def test_recognition_that_tells_nothing_for_a_while_is_judged_by_the_time_that_passes(
    time: StoppedClock,
) -> None:
    job_id = known()
    work.do(job_id, "download", "extract_audio")
    work.begin_recognition(job_id)
    work.take(job_id, CHUNK_ACTOR)

    told = []
    for _ in range(3):
        time.pass_s(6)
        told.append(left_s(job_id, time))

    assert told == [24 + 7, 18 + 7, 15 + 7]  # of 60 s of sound it may have heard 30 without telling


@pytest.mark.usefixtures("past")
def test_the_wait_for_the_next_attempt_counts(time: StoppedClock) -> None:
    job_id = known()

    claims.give_up(work.take(job_id, "download"), SourceUnreachable("no answer"), "")

    assert left_s(job_id, time) == 10 + sum(TOOK_S.values())


@pytest.mark.usefixtures("past")
def test_a_job_waits_for_those_that_are_recognised_before_it(time: StoppedClock) -> None:
    first, second, third = known(), known(), known()
    urgent = known(priority=3)
    work.do(second, "download", "extract_audio")
    work.begin_recognition(second)
    claim = work.take(second, CHUNK_ACTOR)
    time.pass_s(15)
    claim.report(0.5)
    claims.renew(claim)

    alone_s, after_s, recognition_s = 9, 7, TOOK_S["transcribe"]
    assert left_s(second, time) == recognition_s / 2 + after_s
    assert left_s(urgent, time) == max(alone_s, 15) + recognition_s + after_s
    assert left_s(first, time) == 15 + 2 * recognition_s + after_s
    assert left_s(third, time) == 15 + 3 * recognition_s + after_s


@pytest.mark.usefixtures("past")
def test_more_recognisers_shorten_the_wait(house: Config, time: StoppedClock) -> None:
    config.use(Config(data_dir=house.data_dir, workers_asr=Pool(1, 2)))
    _first, second, third = known(), known(), known()

    assert left_s(second, time) == sum(TOOK_S.values())
    assert left_s(third, time) == 2 * TOOK_S["transcribe"] + 7


@pytest.mark.usefixtures("past")
def test_a_scheduled_job_is_counted_from_its_time(time: StoppedClock) -> None:
    job_id = known(run_at=datetime(2026, 3, 2, 12, tzinfo=time.now().tzinfo))

    moment = status(job_id).estimated_completion

    assert moment is not None
    assert (moment - datetime(2026, 3, 2, 12, tzinfo=time.now().tzinfo)).total_seconds() == sum(
        TOOK_S.values()
    )


@pytest.mark.usefixtures("past")
def test_what_another_recogniser_took_says_nothing(house: Config, time: StoppedClock) -> None:
    config.use(Config(data_dir=house.data_dir, whisper_model="large-v3"))

    assert status(known()).estimated_completion is None


def test_what_was_tried_twice_teaches_nothing(time: StoppedClock) -> None:
    slow = make()
    claims.give_up(work.take(slow, "download"), SourceUnreachable("no answer"), "")
    time.pass_s(3600)
    do_at_pace(slow, time)
    do_at_pace(make(), time)

    assert left_s(known(), time) == sum(TOOK_S.values())


@pytest.mark.usefixtures("past")
def test_a_follower_has_the_estimate_of_what_it_follows(time: StoppedClock) -> None:
    leader = known()
    url = Job.get_by_id(leader).url

    follower = intake.accept(Request("bob", url, url)).job.id

    ours = statuses.of(follower, "bob").estimated_completion
    assert ours is not None
    assert ours == status(leader).estimated_completion


@pytest.mark.usefixtures("past")
def test_lists_tell_it_too(time: StoppedClock) -> None:
    job_id = known()

    (first, *_) = statuses.page(Selection("ada"))

    assert (first.job_id, first.estimated_completion) == (job_id, status(job_id).estimated_completion)
