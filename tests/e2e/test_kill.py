"""A program that is killed goes on where it was, and does nothing twice, in either form."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from app.engines.partial import SEAM_BYTES
from app.stages import NAMES
from tests.e2e.conftest import FORMS, start
from tests.load.recording import join_clips
from tests.rows import Query, broken_promises, rows
from tests.up import Up
from tests.webserver import WebServer

CATCHES = 20
"""How often a short stage is tried to be caught in the act; most take one or two."""

CHUNK_S = 12
SETTINGS = {
    "WHISPER_MODEL": "packaged-tiny.en",
    "LEASE_S": "3",
    "POLL_S": "0.2",
    "CHUNK_S": str(CHUNK_S),
    "WORKERS_ASR": "1x1",
}


@pytest.fixture(scope="module", params=FORMS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One program, to which all is done: it goes on after each kill, and models load less often."""
    with ExitStack() as stack:
        yield start(request.param, tmp_path_factory.mktemp("killed"), stack, **SETTINGS)


@pytest.fixture
def up(program: Up) -> Up:
    """The program, running also if the test before left it dead."""
    revive(program)
    return program


def revive(up: Up) -> None:
    if up.process.poll() is not None:
        up.start()


@pytest.mark.parametrize("stage", NAMES)
def test_a_job_killed_in_a_stage_completes_with_attempt_2_there_and_every_result_once(
    stage: str, up: Up, web: WebServer
) -> None:
    job_id = killed_in(stage, up, web)
    revive(up)

    ended = up.client.wait(job_id, timeout_s=240)

    transcript = up.client.transcript(ended.video_id or "")
    assert ended.status == "completed"
    assert {row.name: row.attempt for row in ended.stages} == {
        name: 2 if name == stage else 1 for name in NAMES
    }
    assert [row.status for row in ended.stages] == ["completed"] * len(NAMES)
    assert " ".join(s.text for s in transcript.sentences).lower().count("ask not") == 1
    if stage == "download":
        asked = [one for path, one in zip(web.requests, web.ranges, strict=True) if "/slow/" in path]
        print(f"Range of each request for the file: {asked}")
        assert int(re.findall(r"bytes=(\d+)-", asked[-1] or "")[0]) > 2 * SEAM_BYTES
    promises_are_kept(up)


def test_a_worker_killed_in_mid_video_costs_the_chunk_in_hand_only(up: Up, tmp_path: Path) -> None:
    job_id = up.client.upload(join_clips(tmp_path / "long.m4a", 4 * CHUNK_S)).job_id
    with rows(up.database_url) as query:
        while len(before := chunks_of(job_id, "state = 'completed'", query)) < 2 or not (
            running := chunks_of(job_id, "state = 'running'", query)
        ):
            time.sleep(0.02)
        worker = int(running[0].worker.rpartition(":")[2])

        kill(worker, up)
        revive(up)
        ended = up.client.wait(job_id, timeout_s=240)

        after = chunks_of(job_id, "state = 'completed'", query)
    assert ended.status == "completed"
    assert [chunk for chunk in after if chunk in before] == before
    twice = [chunk for chunk in after if chunk.attempt == 2]
    assert sum(chunk.length_s for chunk in twice) <= CHUNK_S
    assert {chunk.attempt for chunk in after} == {1, 2}
    promises_are_kept(up)


class Piece(NamedTuple):
    """A chunk's row."""

    position: int
    attempt: int
    length_s: float
    finished_at: object
    worker: str


def chunks_of(job_id: str, condition: str, query: Query) -> list[Piece]:
    """The job's chunks of which this is true, in their order."""
    columns = "position, attempt, end_s - start_s, finished_at, worker"
    found = query(f"SELECT {columns} FROM chunk WHERE job_id = ? AND {condition} ORDER BY position", job_id)
    return [Piece(*row) for row in found]


def killed_in(stage: str, up: Up, web: WebServer) -> str:
    """The job at which a worker was that was killed while the stage's row read running."""
    slowly = "/slow" if stage == "download" else ""
    for _number in range(CATCHES):
        job_id = up.client.submit(f"{web.url}{slowly}/speech/jfk.flac", force=True).job_id
        with rows(up.database_url) as query:
            while (found := state_of(job_id, stage, query))[0] == "pending":
                pass
            while stage == "download" and not has_part(up, 3 * SEAM_BYTES):
                time.sleep(0.02)
            kill(int(found[1].rpartition(":")[2]), up)
            if state_of(job_id, stage, query)[0] == "running":
                return job_id
        revive(up)
        up.client.wait(job_id, timeout_s=240)
    raise AssertionError(f"{stage} ended each time before it could be killed")


def has_part(up: Up, size: int) -> bool:
    """Whether a download has come so far."""
    return any(part.stat().st_size > size for part in up.data_dir.glob("tmp/*/*.part"))


def kill(worker: int, up: Up) -> None:
    """Kill the worker, which is the whole program in the embedded form."""
    os.kill(worker, signal.SIGKILL)
    if worker == up.process.pid:
        up.process.wait()


def state_of(job_id: str, stage: str, query: Query) -> tuple[str, str]:
    """The stage's state and who works on it (on its chunk, where it has one)."""
    state, worker = query("SELECT state, worker FROM job_stage WHERE job_id = ? AND name = ?", job_id, stage)[
        0
    ]
    if stage == "transcribe":
        chunks = query("SELECT worker FROM chunk WHERE job_id = ? AND state = 'running'", job_id)
        return ("running", chunks[0][0]) if chunks else ("pending" if state == "running" else state, worker)
    return state, worker


def promises_are_kept(up: Up) -> None:
    """Await that all is told, sent and cleaned up."""
    give_up = time.monotonic() + 120
    with rows(up.database_url) as query:
        while broken := broken_promises(query) + files_of(up.data_dir):
            assert time.monotonic() < give_up, broken
            time.sleep(0.1)


def files_of(data_dir: Path) -> list[str]:
    return [str(path) for path in (data_dir / "files").rglob("*") if path.is_file()]
