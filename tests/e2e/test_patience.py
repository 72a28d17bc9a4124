"""What the program does while a source will not, or not yet: nothing, at no cost, and says why."""

import time
from collections.abc import Iterator

import pytest

from tests.batches import SETTINGS, ended, wait, ytrag
from tests.conftest import FIXTURES
from tests.rows import rows
from tests.up import Up
from tests.youtube import Play, YouTube, captioned

HELD_UP = "source:www.youtube.com"


def address(video: Play) -> str:
    return f"https://youtu.be/{video.id}"


@pytest.fixture(scope="module")
def youtube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YouTube]:
    """YouTube as the program meets it that the tests of this file share."""
    played = YouTube(tmp_path_factory.mktemp("youtube"), FIXTURES / "speech" / "jfk.flac")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in played.environment.items():
            patch.setenv(name, value)
        yield played


@pytest.fixture(scope="module")
def up(youtube: YouTube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    settings = SETTINGS | {"DOWNLOAD_SPACING_S": "0.1", "SOURCE_PROBE_S": "1"}
    with Up(tmp_path_factory.mktemp("up"), **settings) as running:
        yield running


def test_a_storm_of_bot_checks_spends_no_retry_and_all_jobs_are_done_behind_it(
    up: Up, youtube: YouTube
) -> None:
    count = 8
    youtube.videos = [captioned(n, (f"Animal number {n} sleeps.", "It is night.")) for n in range(count)]
    youtube.answer = "bot"
    youtube.save()
    urls = [address(video) for video in youtube.videos]
    batch_id = up.client.submit_batch(urls=urls).batch_id
    wait(up.client, batch_id, lambda found: sum(job.waits_for == HELD_UP for job in found.jobs) == count)
    wait(up.client, batch_id, lambda _found: up.client.sources().data[0].last_probe_at is not None)
    (source,) = up.client.sources().data
    assert (source.source, source.paused) == ("www.youtube.com", False)
    assert source.error
    assert source.error.code == "bot_check"
    assert "bot_check" in ytrag(up, "sources", "list")
    held_up = next(job for job in up.client.batch(batch_id).jobs if job.waits_for == HELD_UP)
    assert (held_up.status, held_up.error and held_up.error.code) == ("pending", "bot_check")
    assert "not a bot" in str(held_up.message)
    asked = len(youtube.asked("/watch"))

    youtube.answer = "ok"
    youtube.save()
    found = wait(up.client, batch_id, ended)

    assert found.counts.model_dump(exclude_defaults=True) == {"total": count, "completed": count}
    assert up.client.sources().data[0].state == "closed"
    with rows(up.database_url) as query:
        ((most, retries),) = query("SELECT MAX(attempt), SUM(attempt > 1) FROM job_stage")
        ((failed,),) = query("SELECT COUNT(*) FROM job_event WHERE type = 'failed'")
    print(f"{count} jobs, {asked} requests met the storm, {retries} retries spent, {failed} failed")
    assert (most, retries, failed) == (1, 0, 0)
    assert asked < count


def test_a_premiere_waits_for_its_time_as_a_scheduled_job(up: Up, youtube: YouTube) -> None:
    (video,) = youtube.videos = [captioned(99, ("The show begins.", "The show ends."))]
    video.answer, video.starts_at = "live_in", time.time() + 5
    youtube.save()
    job_id = up.client.submit(address(video)).job_id
    give_up = time.monotonic() + 120
    while (status := up.client.status(job_id)).status != "scheduled":
        assert time.monotonic() < give_up, status
        time.sleep(0.1)
    assert status.run_at
    assert abs(status.run_at.timestamp() - video.starts_at) < 1
    assert "Premieres in" in str(status.message)
    assert (status.attempt, status.error and status.error.code) == (0, "upcoming_video")
    video.answer = "ok"
    youtube.save()

    done = up.client.wait(job_id, timeout_s=180)

    assert (done.status, done.stages[0].attempt) == ("completed", 1)
    assert youtube.asked("/watch")[-1].at >= video.starts_at - 1
