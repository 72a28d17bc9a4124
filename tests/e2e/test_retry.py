"""A job that failed, and one that is to be done otherwise, begun again through the doors that users have."""

import json
import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.main import main
from app.client import RequestRefused
from tests.conftest import FIXTURES
from tests.up import Up
from tests.webserver import WebServer


def command(up: Up, *words: str) -> str:
    """What the command line prints."""
    done = CliRunner().invoke(main, words, env={"YTRAG_SERVER": up.client.server}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def files_are_gone(up: Up, job_id: str) -> None:
    """Await that housekeeping has been there."""
    give_up = time.monotonic() + 120
    while (up.data_dir / "files" / "jobs" / job_id).exists():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_download_that_failed_is_retried_to_completion_once_the_video_is_there(
    up: Up, tmp_path: Path
) -> None:
    with WebServer(tmp_path) as web:
        job_id = up.client.submit(f"{web.url}/jfk.flac").job_id
        failed = up.client.wait(job_id, timeout_s=180)
        shutil.copy(FIXTURES / "speech" / "jfk.flac", tmp_path)

        printed = command(up, "retry", job_id)
        ended = up.client.wait(job_id, timeout_s=180)

    assert failed.error is not None
    assert (failed.status, failed.error.code) == ("failed", "video_unavailable")
    assert "begins with download" in printed
    assert (ended.status, ended.error, ended.progress) == ("completed", None, 100.0)
    assert {stage.attempt for stage in ended.stages} == {1}
    assert "country" in up.client.search("ask what you can do", video_id=ended.video_id).hits[0].text


def test_a_completed_job_is_done_again_from_its_segments_on(up: Up, web: WebServer) -> None:
    first = up.client.wait(up.client.submit(f"{web.url}/speech/jfk.flac").job_id, timeout_s=180)
    asked = len(web.requests)

    answer = up.client.retry(first.job_id, from_stage="segment")
    again = up.client.wait(first.job_id, timeout_s=180)

    assert answer.from_stage == "segment"
    assert (again.status, again.video_id) == ("completed", first.video_id)
    assert len(web.requests) == asked
    since = {stage.name: stage.started_at for stage in first.stages}
    rerun = [stage.name for stage in again.stages if stage.started_at != since[stage.name]]
    assert rerun == ["segment", "embed", "index"]
    hits = up.client.search("ask not what your country", video_id=first.video_id, limit=50).hits
    assert "country" in hits[0].text
    assert len({hit.segment_id for hit in hits}) == len(hits)


def test_an_upload_cannot_be_done_again_from_a_file_that_is_gone(up: Up) -> None:
    job_id = up.client.upload(FIXTURES / "speech" / "jfk.flac", force=True).job_id
    ended = up.client.wait(job_id, timeout_s=180)
    files_are_gone(up, job_id)

    with pytest.raises(RequestRefused) as refused:
        up.client.retry(job_id)

    assert (refused.value.status, refused.value.code) == (409, "upload_gone")
    assert up.client.retry(job_id, from_stage="embed").from_stage == "embed"
    assert up.client.wait(job_id, timeout_s=180).video_id == ended.video_id


def test_jobs_are_found_and_counted_on_the_command_line(up: Up, tmp_path: Path) -> None:
    with WebServer(tmp_path) as web:
        job_id = up.client.submit(f"{web.url}/nothing-here.mp3").job_id
        up.client.wait(job_id, timeout_s=180)

    listed = json.loads(command(up, "jobs", "--q", "NOTHING-here", "--status", "failed", "--json"))
    numbers = json.loads(command(up, "jobs", "--stats", "--json"))
    tried = up.client.bulk("retry", q="nothing-here", dry_run=True)

    assert [job["job_id"] for job in listed["data"]] == [job_id]
    assert numbers["failed"] >= 1
    assert numbers["servers"] == 1
    assert (tried.matched, tried.done, tried.refused) == (1, 1, {})
    assert up.client.status(job_id).status == "failed"


def test_an_installation_that_has_done_a_job_says_when_the_next_one_will_be_done(
    up: Up, web: WebServer
) -> None:
    up.client.wait(up.client.submit(f"{web.url}/speech/jfk.flac").job_id, timeout_s=180)
    estimates = []

    job_id = up.client.submit(f"{web.url}/speech/jfk.flac", force=True).job_id
    up.client.wait(
        job_id,
        timeout_s=60,
        every_s=0.05,
        on_status=lambda status: estimates.append(status.estimated_completion),
    )

    assert any(estimates)
    assert estimates[-1] is None
