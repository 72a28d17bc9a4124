"""A source that refuses us is left alone by all jobs, at no cost of an attempt, and taken up again."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.errors import NotNow, SourceUnreachable, StageError
from app.models.jobs import Job, JobEvent, JobStage
from app.models.messages import Outbox
from app.models.sources import Source
from app.services import batches, census, claims, limits, listings, outbox, sources
from app.services.messages import MessageRef
from app.source_errors import (
    AgeRestricted,
    BotCheck,
    MediaForbidden,
    SourceRateLimited,
    UpcomingVideo,
    VideoUnavailable,
)
from tests.downloads import FAR, jobs_of
from tests.integration.conftest import StoppedClock

HOST = "videos.example"


def look() -> list[Job]:
    """What a dispatcher does in one look; the jobs whose download is published."""
    sources.let_in()
    limits.let_in()
    due = outbox.claim_due()
    for row in due:
        outbox.mark_sent(row)
    return [Job.get_by_id(row.subject) for row in due if row.actor == "download"]


def visit(job: Job, answer: StageError | None = None) -> str:
    """What a worker does with a download's message, whose source answers so; returns how it ended."""
    claim = claims.take(MessageRef(job.message_id, "download", job.id, job.priority), None, "one")
    assert claim is not None
    try:
        with sources.visiting(job.url), limits.downloading(job.url):
            if answer:
                raise answer
    except NotNow as wait:
        claims.put_back(claim, wait)
        return "waits"
    except StageError as error:
        return "retries" if claims.give_up(claim, error, "trace") else "fails"
    claims.finish(claim)
    return "done"


def states() -> set[tuple[str, int]]:
    """States of all downloads, and the attempts that they have spent."""
    return {(stage.state, stage.attempt) for stage in JobStage.select().where(JobStage.name == "download")}


@pytest.fixture(autouse=True)
def quick(house: Config, time: StoppedClock) -> None:
    config.use(Config(**{**vars(house), "download_spacing_s": 0.0}))


def source() -> Source:
    return Source.get_by_id(HOST)


def test_a_bot_check_makes_all_jobs_of_the_source_wait_and_spends_no_attempt() -> None:
    first, second, third = jobs_of(3, source=FAR)
    (elsewhere,) = jobs_of(1)
    look()

    assert visit(first, BotCheck("not a bot?")) == "waits"
    assert visit(second) == visit(third) == "waits"
    assert visit(elsewhere) == "done"

    assert states() == {("pending", 0), ("completed", 1)}
    assert look() == []
    assert census.source_circuit_open() == {HOST: 1, "www.youtube.com": 0, "127.0.0.1": 0}


def test_who_waits_is_told_why_and_what_helps(api: FlaskClient) -> None:
    (job,) = jobs_of(1, source=FAR)
    visit(job, BotCheck("not a bot?"))

    status = api.get(f"/api/jobs/{job.id}/status").get_json()

    assert (status["status"], status["message_state"], status["attempt"]) == ("pending", "delayed", 0)
    assert status["waits_for"] == f"source:{HOST}"
    assert status["message"] == f"Waits until {HOST} may be asked again. not a bot?"
    assert status["stages"][0]["error"]["detail"] == "not a bot?"
    assert status["error"]["code"] == "bot_check"
    event = JobEvent.select().order_by(JobEvent.seq.desc()).get()
    assert (event.payload["error_code"], event.payload["waits_for"]) == ("bot_check", f"source:{HOST}")


def test_one_job_is_the_probe_and_when_it_passes_all_go(time: StoppedClock) -> None:
    first, *others = jobs_of(4, source=FAR)
    look()
    visit(first, BotCheck("not a bot?"))
    for other in others:
        visit(other)
    time.pass_s(299)
    assert look() == []

    time.pass_s(1)
    (probe,) = look()
    assert look() == []
    assert source().state == "open"
    assert visit(probe) == "done"

    assert (source().state, source().failures) == ("closed", 0)
    rest = look()
    assert {probe.id, *(job.id for job in rest)} == {first.id, *(other.id for other in others)}
    assert [visit(job) for job in rest] == ["done"] * 3
    assert states() == {("completed", 1)}


def test_each_probe_that_is_refused_makes_the_wait_longer_and_the_next_one_is_another_job(
    time: StoppedClock,
) -> None:
    jobs = jobs_of(3, source=FAR)
    look()
    for job in jobs:
        visit(job, BotCheck("not a bot?"))
    probes = []
    for wait_s in (300, 600, 1200):
        assert source().until == time.now() + timedelta(seconds=wait_s)
        time.pass_s(wait_s - 1)
        assert look() == []
        time.pass_s(1)
        (probe,) = look()
        probes.append(probe.id)
        visit(probe, BotCheck("not a bot?"))

    assert sorted(probes) == sorted(job.id for job in jobs)
    assert states() == {("pending", 0)}


def test_a_second_claim_while_the_probe_is_at_work_waits() -> None:
    first, second = jobs_of(2, source=FAR)
    look()
    visit(first, BotCheck("not a bot?"))
    visit(second)
    Source.update(until=source().since).execute()
    (probe,) = look()
    claim = claims.take(MessageRef(probe.message_id, "download", probe.id, 1), None, "one")
    assert claim
    (other,) = {first.id, second.id} - {probe.id}

    with sources.visiting(probe.url):
        assert source().state == "half_open"
        assert visit(Job.get_by_id(other)) == "waits"

    assert source().state == "closed"


def test_a_probe_that_dies_is_followed_by_another(time: StoppedClock) -> None:
    first, second = jobs_of(2, source=FAR)
    look()
    visit(first, BotCheck("not a bot?"))
    visit(second)
    time.pass_s(300)
    (probe,) = look()
    dead = ExitStack()
    claims.take(MessageRef(probe.message_id, "download", probe.id, 1), None, "dead")
    dead.enter_context(sources.visiting(probe.url))
    assert look() == []

    time.pass_s(sources.PROBE_TAKES.total_seconds())

    (heir,) = look()
    assert heir.id != probe.id
    assert visit(heir) == "done"
    assert source().state == "closed"
    dead.close()


@pytest.mark.parametrize(
    ("answer", "state", "ending"),
    [(VideoUnavailable("removed"), "closed", "fails"), (SourceUnreachable("no answer"), "open", "retries")],
)
def test_a_probe_passes_with_any_answer_but_none(
    time: StoppedClock, answer: StageError, state: str, ending: str
) -> None:
    first, second = jobs_of(2, source=FAR)
    look()
    visit(first, BotCheck("not a bot?"))
    visit(second)
    time.pass_s(300)
    (probe,) = look()

    assert visit(probe, answer) == ending

    assert source().state == state
    (other,) = look()
    assert other.id != probe.id


def test_what_only_one_video_asks_for_fails_its_job_and_leaves_the_source_alone() -> None:
    first, second = jobs_of(2, source=FAR)

    assert visit(first, AgeRestricted("how old?")) == "fails"
    assert visit(second) == "done"


def test_too_many_requests_cool_the_source_down_for_as_long_as_it_says_or_longer_each_time(
    time: StoppedClock,
) -> None:
    first, second = jobs_of(2, source=FAR)
    visit(first, SourceRateLimited("too many", retry_after_s=42.0))
    visit(second)
    assert source().until == time.now() + timedelta(seconds=42)
    time.pass_s(42)
    (probe,) = look()

    visit(probe, SourceRateLimited("too many"))

    assert source().until == time.now() + timedelta(seconds=600)
    assert states() == {("pending", 0)}


def test_what_may_be_the_videos_fault_opens_the_source_after_its_retries_unless_others_pass(
    time: StoppedClock,
) -> None:
    lone, good, unlucky = jobs_of(3, source=FAR)
    assert visit(lone, MediaForbidden("403")) == "retries"
    time.pass_s(10)
    assert visit(lone, MediaForbidden("403")) == "waits"
    assert source().state == "open"
    sources.resume(HOST)

    assert visit(unlucky, MediaForbidden("403")) == "retries"
    time.pass_s(10)
    assert visit(good) == "done"
    assert visit(unlucky, MediaForbidden("403")) == "retries"

    assert source().state == "closed"


def test_a_premiere_waits_for_its_time_as_a_scheduled_job(api: FlaskClient, time: StoppedClock) -> None:
    (job,) = jobs_of(1, source=FAR)
    look()
    announced = UpcomingVideo("Premieres in 2 hours", not_before=time.now() + timedelta(hours=2))

    assert visit(job, announced) == "waits"

    status = api.get(f"/api/jobs/{job.id}/status").get_json()
    assert (status["status"], status["attempt"]) == ("scheduled", 0)
    assert status["run_at"].startswith("2026-03-01T14:00:00")
    assert status["message"] == "Waits until 2026-03-01 14:00:00 UTC. Premieres in 2 hours"
    assert status["error"]["code"] == "upcoming_video"
    time.pass_s(7199)
    assert look() == []
    time.pass_s(1)
    assert [found.id for found in look()] == [job.id]
    assert visit(job) == "done"
    assert set(census.source_circuit_open().values()) == {0}


def test_what_is_late_is_looked_at_again_some_minutes_later_and_not_at_once(time: StoppedClock) -> None:
    (job,) = jobs_of(1, source=FAR)
    late = UpcomingVideo("Premieres in 0 minutes", not_before=time.now())
    look()

    visit(job, late)

    time.pass_s(299)
    assert look() == []
    time.pass_s(1)
    assert len(look()) == 1


def test_what_nobody_can_date_is_looked_at_again_but_not_for_ever(time: StoppedClock) -> None:
    (job,) = jobs_of(1, source=FAR)
    look()

    assert visit(job, UpcomingVideo("live")) == "waits"
    time.pass_s(1800)
    assert len(look()) == 1
    time.pass_s(30 * 86400)

    assert visit(job, UpcomingVideo("live")) == "fails"


def test_an_operator_pauses_a_source_and_lets_its_jobs_go(api: FlaskClient) -> None:
    (job,) = jobs_of(1, source="https://www.youtube.com/watch?v=")
    look()

    paused = api.post("/api/sources/youtube.com/pause").get_json()
    assert (paused["source"], paused["paused"], paused["paused_by"]) == ("www.youtube.com", True, "local")
    assert visit(job) == "waits"
    waiting = api.get("/api/sources").get_json()["data"]
    assert [(one["source"], one["waiting"]) for one in waiting] == [("www.youtube.com", 1)]
    assert "paused by local" in api.get(f"/api/jobs/{job.id}/status").get_json()["message"]
    assert census.source_circuit_open()["www.youtube.com"] == 0  # nobody has to be woken for that
    assert look() == []

    resumed = api.post("/api/sources/www.youtube.com/resume").get_json()

    assert (resumed["state"], resumed["paused"]) == ("closed", False)
    assert [found.id for found in look()] == [job.id]
    assert visit(job) == "done"


def test_an_operator_opens_a_source_before_its_time_and_its_jobs_keep_their_order(api: FlaskClient) -> None:
    config.use(Config(**{**vars(config.current()), "allowed_sources": (HOST,)}))
    jobs = jobs_of(3, source=FAR)
    look()
    for job in reversed(jobs):
        visit(job, BotCheck("not a bot?"))
    listed = api.get("/api/sources").get_json()["data"][0]
    assert (listed["state"], listed["error"]["code"], listed["waiting"]) == ("open", "bot_check", 3)

    api.post(f"/api/sources/{HOST}/resume")
    config.use(Config(**{**vars(config.current()), "download_spacing_s": 2.0}))
    sources.let_in()

    line = list(Outbox.select().order_by(Outbox.available_at))
    assert [row.subject for row in line] == [job.id for job in jobs]
    assert line[2].available_at - line[0].available_at == timedelta(seconds=4)


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_source_that_nothing_comes_from_is_not_there(api: FlaskClient, action: str) -> None:
    answer = api.post(f"/api/sources/elsewhere.example/{action}")

    assert answer.status_code == 404
    assert "www.youtube.com" in answer.get_json()["detail"]


def test_a_listing_waits_with_the_jobs_and_goes_on_with_them(time: StoppedClock) -> None:
    (job,) = jobs_of(1, source="https://www.youtube.com/watch?v=")
    look()
    visit(job, BotCheck("not a bot?"))
    batch = batches.create("ada", url="https://www.youtube.com/@zoo")
    row = Outbox.get(actor=batches.ACTOR)
    claim = listings.take(MessageRef(row.message_id, row.actor, batch.id, 1), "one")
    assert claim
    with pytest.raises(NotNow) as refused, sources.visiting(batch.url or ""):
        pass
    listings.put_back(claim, refused.value)
    standing = batches.standing(batches.get(batch.id, "ada"))
    assert (standing.state, standing.batch.error_code, standing.batch.attempt) == ("pending", "bot_check", 0)

    sources.resume("www.youtube.com")
    sources.let_in()

    assert Outbox.get(actor=batches.ACTOR).available_at <= time.now()
    assert listings.take(MessageRef(row.message_id, row.actor, batch.id, 1), "one")


def test_a_probe_that_finds_no_free_slot_is_none_yet(time: StoppedClock) -> None:
    config.use(Config(**{**vars(config.current()), "downloads_per_source": 1}))
    busy, first = jobs_of(2, source=FAR)
    holder = claims.take(MessageRef(busy.message_id, "download", busy.id, 1), None, "one")
    assert holder
    with ExitStack() as at_work:
        visit(first, BotCheck("not a bot?"))
        claims.work_under(holder)
        at_work.enter_context(limits.downloading(busy.url))
        Source.update(until=time.now()).execute()

        assert visit(first) == "waits"

    assert source().state == "open"
    assert visit(first) == "done"
    assert source().state == "closed"
