"""What a real house tells Prometheus: right with several processes, after restarts and after SIGKILL."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.client import Client
from app.stages import NAMES
from tests.observed import Observed, eventually, values
from tests.services import execute, fresh_broker, fresh_database
from tests.up import ROOT, Up, free_port
from tests.webserver import WebServer

NO_MEDIA = b"neither sound nor video"
FAILURES = 3


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """The production form with two processes for the API and two for downloads."""
    settings = {"POLL_S": "0.2", "LEASE_S": "3", "WORKERS_IO": "2x1", "LOG_FORMAT": "json"}
    with fresh_database() as database_url, fresh_broker() as broker_url:
        folder = tmp_path_factory.mktemp("house")
        with Observed(folder, database_url=database_url, broker_url=broker_url, **settings) as observed:
            yield observed


def fail_some(client: Client, count: int) -> list[str]:
    """Have so many jobs fail, each in extract_audio at once."""
    address = f"{client.server}/api/videos/upload"
    made = [httpx.post(address, files={"file": ("x.mp4", os.urandom(8) + NO_MEDIA)}) for _ in range(count)]
    ids = [answer.json()["job_id"] for answer in made]
    assert [client.wait(job_id, every_s=0.1).status for job_id in ids] == ["failed"] * count
    return ids


def test_counters_of_many_processes_are_the_counts_of_the_database(house: Observed) -> None:
    uploads = {"route": "/api/videos/upload", "method": "POST", "code": "202"}
    asked = house.total("api", "ytrag_http_request_duration_seconds_count", **uploads)

    fail_some(house.client, FAILURES)

    [(failed,)] = execute(house.database_url, "SELECT COUNT(*) FROM job WHERE state = 'failed'")
    assert house.total("api", "ytrag_http_request_duration_seconds_count", **uploads) - asked == FAILURES
    assert house.total("exporter", "ytrag_jobs", state="failed") == failed
    assert house.total("exporter", "ytrag_jobs_failed_unattended") == failed
    assert house.total("exporter", "ytrag_workers", queue="download") == 2
    assert house.total("worker", "ytrag_jobs_finished_total", outcome="failed") == failed
    why = {"stage": "extract_audio", "code": "unsupported_media"}
    assert house.total("worker", "ytrag_stage_failures_total", **why) == failed
    runs = {"stage": "extract_audio", "outcome": "failed"}
    eventually(lambda: house.total("worker", "ytrag_stage_duration_seconds_count", **runs) == failed)
    waits = {"stage": "extract_audio", "priority": "default"}
    assert house.total("worker", "ytrag_stage_queue_wait_seconds_count", **waits) == failed
    assert house.total("worker", "ytrag_dead_lettered_total") == 0  # it could not have worked


def test_series_begin_at_zero_before_anything_has_happened(house: Observed) -> None:
    for stage in NAMES:
        runs = {"stage": stage, "outcome": "retrying"}
        assert house.values("worker", "ytrag_stage_duration_seconds_count", **runs) == [0.0]
    assert house.values("worker", "ytrag_stage_failures_total", stage="embed", code="no_space") == [0.0]
    assert house.values("api", "ytrag_build_info") == [1.0]


def test_what_a_killed_worker_counted_stays_and_what_it_did_is_over(house: Observed, web: WebServer) -> None:
    job_id = house.client.submit(f"{web.url}/hang/x.mp4").job_id
    eventually(lambda: downloads(house) == 1)
    counted = house.total("worker", "ytrag_stage_queue_wait_seconds_count")
    assert counted > 0

    os.kill(worker_of(house, job_id), signal.SIGKILL)

    eventually(lambda: downloads(house) == 0)
    assert house.total("worker", "ytrag_stage_queue_wait_seconds_count") >= counted
    eventually(lambda: downloads(house) == 1)  # the other process, or the next one, has it now
    house.client.cancel(job_id)
    eventually(lambda: downloads(house) == 0)
    assert httpx.get(house.url("worker", "/healthz")).status_code == 200


def downloads(house: Observed) -> float:
    return house.total("worker", "ytrag_stages_in_progress", stage="download")


def worker_of(house: Observed, job_id: str) -> int:
    query = f"SELECT worker FROM job_stage WHERE job_id = '{job_id}' AND name = 'download'"
    [(worker,)] = execute(house.database_url, query)
    return int(str(worker).rpartition(":")[2])


def test_every_process_tells_whether_it_lives_and_is_ready(house: Observed) -> None:
    for name in house.ports:
        assert httpx.get(house.url(name, "/healthz")).json() == {"status": "ok"}
        ready = httpx.get(house.url(name, "/readyz"))
        assert (ready.status_code, ready.json()["database"]) == (200, "ok")
        moves_messages = name not in ("api", "exporter")
        assert ready.json().get("broker") == ("ok" if moves_messages else None)
        assert httpx.get(house.url(name, "/else")).status_code == 404
    assert httpx.get(f"{house.client.server}/metrics").status_code == 404


def test_the_log_lines_of_an_attempt_name_job_stage_and_attempt(house: Observed) -> None:
    [job_id] = fail_some(house.client, 1)

    def lines() -> list[dict[str, object]]:
        text = (house.data_dir / "worker.log").read_text()
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if line.get("job_id") == job_id and "attempt" in line]

    eventually(lambda: len(lines()) == 2)
    failed, ended = lines()
    assert (failed["stage"], failed["attempt"], failed["code"]) == ("extract_audio", 1, "unsupported_media")
    assert (ended["message"], ended["outcome"], ended["stage"]) == (
        "attempt ended",
        "failed",
        "extract_audio",
    )
    for process in ("serve", "dispatcher1", "dispatcher2", "exporter"):
        for line in (house.data_dir / f"{process}.log").read_text().splitlines():
            assert {"at", "level", "message"} <= json.loads(line).keys()


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_second_process_on_the_port_is_refused_and_the_first_goes_on(house: Observed, command: str) -> None:
    counted = house.total("worker", "ytrag_jobs_finished_total")
    environment = house.environment | {"YTRAG_METRICS_PORT": str(house.ports["worker"])}
    second = [sys.executable, "-m", "app.cli.main", command]

    done = subprocess.run(second, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=180)

    assert done.returncode in (1, 2)
    assert "YTRAG_METRICS_PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert house.total("worker", "ytrag_jobs_finished_total") == counted > 0


def test_counters_begin_anew_with_their_process_and_the_gauges_of_the_house_do_not(house: Observed) -> None:
    failed = house.total("exporter", "ytrag_jobs", state="failed")

    for name in ("worker", "exporter"):
        house.others[name].stop()
        house.others[name].start()

    eventually(lambda: house.values("worker", "ytrag_jobs_finished_total", outcome="failed"))
    assert house.total("worker", "ytrag_jobs_finished_total") == 0
    assert house.total("exporter", "ytrag_jobs", state="failed") == failed > 0


def test_the_embedded_form_tells_of_itself_and_of_the_house(tmp_path: Path) -> None:
    port = free_port()
    with Up(tmp_path, METRICS_PORT=str(port)) as up:
        fail_some(up.client, 1)

        page = f"http://127.0.0.1:{port}/metrics"
        assert values(page, "ytrag_jobs", state="failed") == [1.0]
        assert values(page, "ytrag_jobs_finished_total", outcome="failed") == [1.0]
        assert values(page, "ytrag_jobs_submitted_total", result="accepted") == [1.0]
        assert values(page, "ytrag_storage_free_bytes", volume="data") > [0.0]
        eventually(lambda: values(page, "ytrag_dispatcher_last_run_timestamp_seconds", task="dispatch"))
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz").json()
        assert ready == {"status": "ok", "database": "ok"}


def test_a_house_of_which_one_program_does_not_start_leaves_none_running(tmp_path: Path) -> None:
    with fresh_database() as database_url, fresh_broker() as broker_url:
        house = Observed(tmp_path, database_url=database_url, broker_url=broker_url)
        taken = socket.create_server(("127.0.0.1", house.ports["exporter"]))

        with taken, pytest.raises(RuntimeError, match="exporter did not start"), house:
            pass

    assert None not in [program.process.poll() for program in (house, *house.others.values())]
