"""A video that several owners ask for is ingested once, and each of them gets it."""

import threading
from datetime import timedelta
from io import BytesIO

import pytest

from app import clock
from app.config import Config
from app.errors import CorruptMedia, NotFound, NotNow, SourceUnreachable
from app.models.base import database
from app.models.jobs import Job, JobEvent, JobStage
from app.models.messages import Outbox
from app.models.videos import Video
from app.services import claims, intake, jobs, media, recovery, retries, statuses, uploads, videos
from app.services.intake import Receipt, Request
from app.services.selection import Selection
from app.stages import NAMES
from tests.integration import work
from tests.integration.conftest import StoppedClock

pytestmark = pytest.mark.usefixtures("house")
URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


def ask(owner: str, **wishes: object) -> Receipt:
    return intake.accept(Request(owner, URL, f"Process video: {URL}", **wishes))  # type: ignore[arg-type]  # as given


def job_of(owner: str, **wishes: object) -> str:
    return ask(owner, **wishes).job.id


def state(job_id: str) -> str:
    return str(Job.get_by_id(job_id).state)


def waiting() -> list[tuple[str, str]]:
    """What is to be published of the work itself."""
    rows = Outbox.select().where(Outbox.actor != "clean_up")
    return [(row.actor, row.subject) for row in rows]


def upload(owner: str) -> str:
    receipt = uploads.accept(
        BytesIO(b"sound"), owner=owner, filename="talk.mp3", title=f"{owner}'s talk", priority=1,
        language=None, force=False, idempotency_key=None,
    )  # fmt: skip
    return receipt.job.id


def test_a_second_owner_gets_a_job_of_their_own_and_nothing_is_done_twice() -> None:
    first, second = ask("ada"), ask("bob")

    assert not second.deduplicated
    assert second.job.id != first.job.id
    assert waiting() == [("download", first.job.id)]
    assert JobStage.select().where(JobStage.job == second.job.id).count() == 0


def test_asking_again_finds_ones_own_job_also_where_it_follows_and_raises_both() -> None:
    leader, follower = job_of("ada", priority=0), job_of("bob", priority=0)

    again = ask("bob", priority=3)

    assert (again.deduplicated, again.job.id) == (True, follower)
    assert {Job.get_by_id(job_id).priority for job_id in (leader, follower)} == {3}
    assert Outbox.get().priority == 3


def test_a_follower_tells_how_far_the_work_is(time: StoppedClock) -> None:
    leader, follower = job_of("ada"), job_of("bob")
    work.do(leader, "download", "extract_audio")
    claims.give_up(work.take(leader, "transcribe"), SourceUnreachable("no answer"), "")

    ours, theirs = statuses.of(follower, "bob"), statuses.of(leader, "ada")

    assert ours.job_id == follower
    assert (ours.status, ours.current_stage, ours.name) == (
        "retrying", "transcribe", "Process video: At the zoo",
    )  # fmt: skip
    same = ("status", "progress", "stages", "attempt", "next_retry_at", "message_state", "video_title")
    assert all(getattr(ours, name) == getattr(theirs, name) for name in same)
    assert statuses.page(Selection("bob", states=("retrying",)))[0].progress == theirs.progress
    seen = [row.type for row in JobEvent.select().where(JobEvent.job == follower).order_by(JobEvent.seq)]
    assert seen[:3] == ["pending", "started", "stage"]
    assert seen.count("progress") == 2


def test_a_follower_waits_with_its_leader_for_their_turn(time: StoppedClock) -> None:
    leader, follower = job_of("ada"), job_of("bob")
    turn = NotNow(at=time.now() + timedelta(seconds=5), waits_for="downloads")

    claims.put_back(work.take(leader, "download"), turn)

    assert [state(job_id) for job_id in (leader, follower)] == ["pending", "pending"]
    assert Job.get_by_id(follower).started_at is None


def test_a_follower_that_came_later_goes_on_from_where_the_work_is() -> None:
    leader = job_of("ada")
    work.do(leader, "download")

    follower = statuses.of(job_of("bob"), "bob")

    assert (follower.status, follower.current_stage, follower.video_title) == (
        "running", "extract_audio", "At the zoo",
    )  # fmt: skip
    assert follower.progress == statuses.of(leader, "ada").progress > 0


def test_followers_complete_with_their_leader_and_see_the_video() -> None:
    leader, *followers = job_of("ada"), job_of("bob"), job_of("eve")

    work.complete(leader)

    video = Video.get().id
    for owner, job_id in zip(("bob", "eve"), followers, strict=True):
        status = statuses.of(job_id, owner)
        assert (status.status, status.progress, status.video_id) == ("completed", 100.0, video)
        assert [stage.status for stage in status.stages] == ["completed"] * len(NAMES)
        assert videos.get(video, owner).title == "At the zoo"
        assert [row.type for row in JobEvent.select().where(JobEvent.job == job_id)].count("completed") == 1


def test_a_video_that_is_done_already_is_there_at_once_for_another_owner() -> None:
    work.complete(job_of("ada"))

    receipt = ask("bob")

    assert (receipt.deduplicated, receipt.job.state) == (False, "completed")
    assert videos.get(receipt.job.video_id or "", "bob").title == "At the zoo"
    assert statuses.of(receipt.job.id, "bob").progress == 100.0
    assert waiting() == []


def test_a_follower_goes_on_with_its_own_priority_and_message_when_the_leader_is_cancelled() -> None:
    leader, heir, other = job_of("ada"), job_of("bob", priority=2), job_of("eve")
    work.do(leader, "download")

    jobs.cancel(leader, "ada")

    message = Job.get_by_id(heir).message_id
    assert [state(job_id) for job_id in (leader, heir, other)] == ["cancelled", "pending", "pending"]
    assert waiting() == [("download", heir)]
    assert Outbox.get(subject=heir).message_id == message
    assert ask("ada").job.follows_id == heir
    work.complete(heir)
    assert [state(job_id) for job_id in (leader, heir, other)] == ["cancelled", "completed", "completed"]


def test_a_failure_that_may_pass_lets_the_next_one_try(time: StoppedClock) -> None:
    leader, heir = job_of("ada"), job_of("bob")
    for _attempt in range(4):
        claims.give_up(work.take(leader, "download"), SourceUnreachable("no answer"), "")
        time.pass_s(60)

    assert [state(job_id) for job_id in (leader, heir)] == ["failed", "pending"]
    assert Job.get_by_id(heir).progress == 0.0
    work.complete(heir)
    assert state(heir) == "completed"


def test_a_failure_that_cannot_pass_fails_all_with_its_reason() -> None:
    leader, follower = job_of("ada"), job_of("bob")
    work.do(leader, "download")

    claims.give_up(work.take(leader, "extract_audio"), CorruptMedia("broken"), "")

    status = statuses.of(follower, "bob")
    assert status.error is not None
    assert (status.status, status.error.code, status.error.detail) == ("failed", "corrupt_media", "broken")
    assert [stage.status for stage in status.stages] == ["completed", "failed", *["skipped"] * 4]
    assert waiting() == []
    assert not ask("bob").deduplicated


def test_a_follower_that_is_cancelled_leaves_the_work_alone() -> None:
    leader, follower = job_of("ada"), job_of("bob")
    work.do(leader, "download")

    jobs.cancel(follower, "bob")
    work.do(leader, *NAMES[1:])

    assert [state(job_id) for job_id in (leader, follower)] == ["completed", "cancelled"]
    assert [stage.status for stage in statuses.of(follower, "bob").stages][:2] == ["completed", "skipped"]
    with pytest.raises(NotFound):
        videos.get(Video.get().id, "bob")


def test_a_follower_that_has_ended_can_be_retried_as_a_job_of_its_own() -> None:
    leader, follower = job_of("ada"), job_of("bob")
    work.complete(leader)

    begun = retries.retry(follower, "bob", "segment")
    work.complete(follower)

    assert begun.from_stage == "download"
    assert state(follower) == "completed"
    assert Video.get().revision == follower


def test_the_start_of_an_embedded_program_does_not_begin_what_follows() -> None:
    leader, _follower = job_of("ada"), job_of("bob")
    Outbox.delete().execute()

    recovery.ring_all()

    assert waiting() == [("download", leader)]


def test_nobody_waits_for_a_job_that_is_to_start_later_than_they_want(time: StoppedClock) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    later = job_of("ada", run_at=tomorrow)

    now, even_later = ask("bob").job, ask("eve", run_at=tomorrow + timedelta(days=1)).job

    assert now.follows_id is None
    assert even_later.follows_id == now.id
    assert Job.get_by_id(later).state == "scheduled"


def test_a_follower_that_takes_over_waits_for_its_own_time(time: StoppedClock) -> None:
    leader = job_of("ada")
    heir = job_of("bob", run_at=clock.now() + timedelta(hours=1))

    jobs.cancel(leader, "ada")

    assert state(heir) == "scheduled"
    assert Outbox.get(subject=heir).available_at == clock.now() + timedelta(hours=1)


@pytest.mark.parametrize("force", [False, True])
def test_a_request_whose_commit_went_through_unheard_is_taken_in_once(force: bool) -> None:
    request = Request("ada", URL, "a name", force=force)
    receipts = [intake.accept(request) for _ in range(2)]

    assert [receipt.deduplicated for receipt in receipts] == [False, False]
    assert [job.id for job in Job.select()] == [request.job_id]
    assert waiting() == [("download", request.job_id)]


def test_force_does_the_work_again_also_for_another_owner() -> None:
    first = job_of("ada")

    second = ask("bob", force=True).job

    assert second.follows_id is None
    assert waiting() == [("download", first), ("download", second.id)]
    assert ask("eve").job.follows_id == second.id


def test_other_wishes_follow_nobody() -> None:
    job_of("ada")

    assert ask("bob", language="de").job.follows_id is None


def test_the_same_file_from_two_owners_is_recognised_once_and_kept_until_that_is_done(house: Config) -> None:
    leader, follower = upload("ada"), upload("bob")

    assert work.files(house.data_dir) == ["upload", "upload"]
    work.do(leader, *NAMES[1:])
    media.clean_up(leader)
    media.clean_up(follower)

    assert state(follower) == "completed"
    assert statuses.of(follower, "bob").name == "Process video: bob's talk"
    assert videos.get(Video.get().id, "bob").title == "ada's talk"
    assert work.files(house.data_dir) == []


def test_a_follower_takes_an_upload_over_with_its_own_copy_of_the_file(house: Config) -> None:
    leader, heir = upload("ada"), upload("bob")

    jobs.cancel(leader, "ada")
    media.clean_up(leader)

    assert waiting() == [("extract_audio", heir)]
    assert work.files(house.data_dir) == ["upload"]
    work.do(heir, *NAMES[1:])
    assert state(heir) == "completed"


def test_a_video_that_one_owner_deletes_stays_with_the_other_and_can_be_had_again_at_once() -> None:
    work.complete(job_of("ada"))
    follower = job_of("bob")
    video = Video.get().id

    videos.delete(video, "ada")
    again = ask("ada")
    videos.delete(video, "bob")
    theirs = ask("bob")

    assert videos.get(video, "ada").title == "At the zoo"
    assert videos.get(video, "bob").title == "At the zoo"
    assert (again.deduplicated, theirs.deduplicated, theirs.job.id) == (True, True, follower)


def test_the_last_owner_to_delete_a_video_deletes_it_for_good() -> None:
    work.complete(job_of("ada"))
    job_of("bob")
    video = Video.get().id

    videos.delete(video, "ada")
    videos.delete(video, "bob")

    assert Video.select().count() == 0
    assert ask("bob").job.state == "pending"


def test_deleting_a_video_does_not_take_it_from_the_job_of_another_owner() -> None:
    work.complete(job_of("ada"))
    forced = job_of("bob", force=True)
    work.do(forced, *NAMES[:4])

    videos.delete(Video.get().id, "ada")
    work.do(forced, "embed", "index")

    assert state(forced) == "completed"
    assert videos.get(Video.get().id, "bob").revision == forced


def test_of_owners_who_ask_at_the_same_moment_one_leads() -> None:
    owners = [f"owner{number}" for number in range(6)]
    start = threading.Barrier(len(owners))

    def come(owner: str) -> None:
        start.wait()
        ask(owner)
        database.close()

    threads = [threading.Thread(target=come, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    leaders = list(Job.select().where(Job.follows.is_null()))
    assert Job.select().count() == len(owners)
    assert len(leaders) == 1
    assert waiting() == [("download", leaders[0].id)]
