"""How the processes start, stop and share the work."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import FIXTURES
from tests.media_files import make
from tests.observed import eventually
from tests.up import ROOT, Up, free_port
from tests.webserver import WebServer

TINY = {"WHISPER_MODEL": "packaged-tiny.en"}


def await_stage(up: Up, job_id: str, stage: str) -> None:
    give_up = time.monotonic() + 120
    while up.client.status(job_id).current_stage != stage:
        assert time.monotonic() < give_up
        time.sleep(0.02)


def long_speech(folder: Path) -> Path:
    """Over two and a half minutes: the sonnet three times."""
    sonnet = str(FIXTURES / "speech" / "sonnet001.ogg")
    return make(folder / "long.ogg", "-stream_loop", "2", "-i", sonnet, "-c", "copy")


def test_a_stop_in_mid_work_ends_in_time_and_costs_no_attempt(tmp_path: Path) -> None:
    up = Up(tmp_path / "var", **TINY)
    with up:
        job_id = up.client.upload(long_speech(tmp_path)).job_id
        await_stage(up, job_id, "transcribe")
        asked = time.monotonic()

        code = up.stop()

        assert code == 0
        assert time.monotonic() - asked < 60

    with up:
        ended = up.client.wait(job_id, timeout_s=240)

    assert ended.status == "completed"
    assert {stage.attempt for stage in ended.stages if stage.status == "completed"} == {1}


def test_a_cancel_in_mid_recognition_stops_the_work_and_frees_the_worker(tmp_path: Path) -> None:
    with Up(tmp_path / "var", **TINY) as up:
        job_id = up.client.upload(long_speech(tmp_path)).job_id
        await_stage(up, job_id, "transcribe")

        up.client.cancel(job_id)

        after = up.client.upload(FIXTURES / "speech" / "jfk.flac").job_id
        assert up.client.wait(after, timeout_s=180).status == "completed"
        assert up.client.status(job_id).status == "cancelled"
        eventually(lambda: not list((up.data_dir / "files").rglob("*.wav")))


def test_a_cancel_in_mid_download_stops_the_downloader(tmp_path: Path) -> None:
    with WebServer(FIXTURES) as web, Up(tmp_path, **TINY) as up:
        job_id = up.client.submit(f"{web.url}/slow/talk/talk.mp4").job_id
        await_stage(up, job_id, "download")
        give_up = time.monotonic() + 120
        while "/slow/talk/talk.mp4" not in web.requests and time.monotonic() < give_up:
            time.sleep(0.02)

        up.client.cancel(job_id)

        give_up = time.monotonic() + 120
        while not web.broken:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        while any((up.data_dir / "tmp").iterdir()):
            assert time.monotonic() < give_up
            time.sleep(0.05)


def test_a_second_program_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with Up(tmp_path, **TINY), pytest.raises(RuntimeError, match="another 'ytrag up' works"):
        Up(tmp_path, **TINY).start()


def test_serve_takes_jobs_in_that_up_does(tmp_path: Path, web: WebServer) -> None:
    with Up(tmp_path, POLL_S="0.2", **TINY) as up, Up(tmp_path, "serve", **TINY) as serve:
        job_id = serve.client.submit(f"{web.url}/speech/jfk.flac").job_id

        ended = serve.client.wait(job_id, timeout_s=180)

        assert ended.status == "completed"
        assert "country" in serve.client.search("ask what you can do").hits[0].text
        assert up.client.status(job_id).status == "completed"


def test_the_api_process_loads_no_model_and_stays_small_until_it_must(tmp_path: Path) -> None:
    look = (
        "import json, resource, sys\n"
        "from app.wsgi import app\n"
        "client = app.test_client()\n"
        "assert client.get('/readyz').status_code == 200\n"
        "assert client.get('/api/search?q=x&mode=keyword').status_code == 200\n"
        "heavy = ('torch', 'faster_whisper', 'sentence_transformers', 'yt_dlp', 'faiss', 'redis', 'pika')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))\n"
    )
    environment = {**os.environ, "YTRAG_DATA_DIR": str(tmp_path)}

    printed = subprocess.run(
        [sys.executable, "-c", look], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("WORKERS_ASR", "0"), ("DATABASE_URL", "oracle://x"), ("ENV", "test")],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence_that_names_it(
    tmp_path: Path, name: str, value: str
) -> None:
    environment = {**os.environ, "YTRAG_DATA_DIR": str(tmp_path), f"YTRAG_{name}": value}

    started = subprocess.run(
        [sys.executable, "-m", "app.cli.main", "up"],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=180,
    )  # fmt: skip

    assert started.returncode != 0
    assert f"YTRAG_{name}" in started.stderr
    assert value in started.stderr
    assert "Traceback" not in started.stderr


def test_metrics_are_served_on_a_port_of_their_own(tmp_path: Path, web: WebServer) -> None:
    port = free_port()
    with Up(tmp_path, METRICS_PORT=str(port), **TINY) as up:
        up.client.wait(up.client.submit(f"{web.url}/speech/jfk.flac").job_id, timeout_s=180)

        page = httpx.get(f"http://127.0.0.1:{port}/metrics").text

        assert 'ytrag_stage_duration_seconds_count{outcome="completed",stage="embed"} 1.0' in page
        assert httpx.get(f"{up.client.server}/metrics").status_code == 404
