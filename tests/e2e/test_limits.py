"""Limits as the world outside sees them."""

from pathlib import Path

from tests.up import Up
from tests.webserver import WebServer

FILES = ("jfk.flac", "sonnet001.ogg", "ljspeech_001_a.ogg")


def test_downloads_from_one_host_never_overlap_where_one_at_a_time_is_allowed(
    tmp_path: Path, web: WebServer
) -> None:
    with Up(tmp_path, WHISPER_MODEL="packaged-tiny.en", WORKERS_IO="1x3", DOWNLOADS_PER_SOURCE="1") as up:
        ids = [up.client.submit(f"{web.url}/slow/speech/{name}").job_id for name in FILES]

        ended = [up.client.wait(job_id, timeout_s=240) for job_id in ids]

    assert [job.status for job in ended] == ["completed"] * 3
    assert {job.stages[0].attempt for job in ended} == {1}
    assert set(web.requests) == {f"/slow/speech/{name}" for name in FILES}
    assert web.most_at_once == 1
