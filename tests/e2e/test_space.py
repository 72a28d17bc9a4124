"""A disk that is really filled beyond the limit, and freed again, under a running program."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.up import Up
from tests.webserver import WebServer

GIB = 1024**3


@contextmanager
def filled(path: Path) -> Iterator[None]:
    """Two GiB less on the disk."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 2 * GIB)
    try:
        yield
    finally:
        path.unlink()


def test_a_full_disk_pauses_the_intake_at_no_cost_and_all_goes_on_when_there_is_room(
    tmp_path: Path, web: WebServer
) -> None:
    free = shutil.disk_usage(tmp_path).free
    if free < 3 * GIB:
        pytest.skip("too little space to fill")
    least = str(free - GIB)
    with Up(tmp_path / "up", WHISPER_MODEL="packaged-tiny.en", POLL_S="0.1", MIN_FREE_BYTES=least) as up:
        url = f"{web.url}/speech/jfk.flac"
        with filled(tmp_path / "ballast"):
            refused = httpx.post(f"{up.client.server}/api/videos/process", json={"url": url})
            batch = httpx.post(f"{up.client.server}/api/batches", json={"urls": [url]})
            upload = httpx.post(f"{up.client.server}/api/videos/upload", files={"file": b"sound"})
        job_id = up.client.submit(url, delay_s=2).job_id
        with filled(tmp_path / "ballast"):
            give_up = time.monotonic() + 120
            while (waiting := up.client.status(job_id)).waits_for is None:
                assert time.monotonic() < give_up, waiting
                time.sleep(0.05)

        done = up.client.wait(job_id, timeout_s=180)

    problem = refused.json()
    print(f"\n{refused.status_code} {problem['code']}, Retry-After {refused.headers['Retry-After']}")
    print(f"{waiting.status}, attempt {waiting.attempt}, waits for {waiting.waits_for}: {waiting.message}")
    print(f"{done.status}, attempts {[stage.attempt for stage in done.stages]}")
    assert (refused.status_code, problem["code"], refused.headers["Retry-After"]) == (507, "no_space", "60")
    assert {batch.status_code, upload.status_code} == {507}
    assert (waiting.status, waiting.attempt, waiting.waits_for) == ("pending", 0, "space:data")
    assert "are to stay free" in str(waiting.message)
    assert (waiting.error and waiting.error.code) == "no_space"
    assert done.status == "completed"
    assert {stage.attempt for stage in done.stages} == {1}
    assert web.requests.count("/speech/jfk.flac") <= 2
