"""What has had its time goes; what is wanted stays."""

import os
from datetime import timedelta
from pathlib import Path

from ulid import ULID

from app import clock
from app.config import Config
from app.models.jobs import Job, JobEvent
from app.models.messages import Message, MessageEvent
from app.models.videos import Segment, Video, VideoAccess
from app.models.workers import WorkerHeartbeat
from app.services import intake, jobs, outbox, retention, workers
from app.services.intake import Request
from tests.integration.conftest import StoppedClock

DAY_S = 86_400.0


def accept(number: int) -> Job:
    url = f"https://www.youtube.com/watch?v={number:011d}"
    return intake.accept(Request(owner="ada", url=url, name="Elephants")).job


def test_jobs_that_ended_long_ago_go_with_all_that_was_noted_of_them(
    house: Config, time: StoppedClock
) -> None:
    old, waiting = accept(1), accept(2)
    outbox.claim_due()
    jobs.cancel(old.id, "ada")
    time.pass_s(89 * DAY_S)
    recent = accept(3)
    jobs.cancel(recent.id, "ada")
    time.pass_s(2 * DAY_S)

    gone = retention.keep_house()

    assert gone["jobs"] == 1
    assert {job.id for job in Job.select()} == {waiting.id, recent.id}
    assert JobEvent.select().where(JobEvent.job == old.id).count() == 0
    assert Message.select().where(Message.subject == old.id).count() == 0
    assert MessageEvent.select().count() > 0


def test_transcripts_stay_and_videos_that_nobody_sees_go(house: Config, time: StoppedClock) -> None:
    for name in ("seen", "unseen"):
        Video.create(
            id=str(ULID()),
            extractor="x",
            external_id=name,
            title=name,
            webpage_url="",
            created_at=clock.now(),
        )
    seen = Video.get(external_id="seen")
    VideoAccess.create(video=seen, owner="ada", created_at=clock.now())
    Segment.create(
        id="s",
        video=seen,
        revision="r",
        position=0,
        start_s=0,
        end_s=1,
        text="",
        sentences=[],
        force_insert=True,
    )
    time.pass_s(1000 * DAY_S)

    retention.keep_house()

    assert [video.external_id for video in Video.select()] == ["seen"]
    assert Segment.select().count() == 1


def test_files_of_no_active_job_go_once_they_are_a_day_old(house: Config) -> None:
    active = accept(1)
    old = str(ULID.from_datetime(clock.now() - timedelta(days=2)))
    young = str(ULID())
    for name in (active.id, old, young):
        path = house.data_dir / "files" / "jobs" / name / "media"
        path.parent.mkdir(parents=True)
        path.touch()

    gone = retention.keep_house()

    assert gone["files"] == 1
    assert {path.name for path in (house.data_dir / "files" / "jobs").iterdir()} == {active.id, young}


def test_folders_that_killed_workers_left_go_after_a_day(house: Config) -> None:
    left, in_use = (house.data_dir / "tmp" / name for name in ("1-left", "2-in-use"))
    for folder in (left, in_use):
        folder.mkdir(parents=True)
    backdate(left, 2 * DAY_S)

    gone = retention.keep_house()

    assert gone["workspaces"] == 1
    assert in_use.exists()
    assert not left.exists()


def backdate(path: Path, seconds: float) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_workers_that_fell_silent_are_shown_no_more_and_forgotten_after_a_day(
    house: Config, time: StoppedClock
) -> None:
    workers.beat("a:1", server="a", queues=["embed"], threads=1, busy=0, started_at=time.now())
    time.pass_s(31)
    workers.beat("b:1", server="b", queues=["embed"], threads=1, busy=0, started_at=time.now())
    assert [row.name for row in workers.present()] == ["b:1"]

    time.pass_s(DAY_S - 20)
    retention.keep_house()

    assert [row.name for row in WorkerHeartbeat.select()] == ["b:1"]
