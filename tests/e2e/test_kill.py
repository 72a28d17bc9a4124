"""A program that is killed goes on where it was, and does nothing twice."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.stages import NAMES
from tests.up import Up
from tests.webserver import WebServer

CATCHES = 20
"""How often a short stage is tried to be caught in the act; most take one or two."""


@pytest.mark.parametrize("stage", NAMES)
def test_a_job_killed_in_a_stage_completes_after_a_restart_with_every_result_once(
    stage: str, tmp_path: Path, web: WebServer
) -> None:
    up, job_id = killed_in(stage, tmp_path, web)

    with up:
        ended = up.client.wait(job_id, timeout_s=120)

        transcript = up.client.transcript(ended.video_id or "")
        attempts = {row.name: row.attempt for row in ended.stages}
        assert ended.status == "completed"
        assert attempts == {name: 2 if name == stage else 1 for name in NAMES}
        assert [row.status for row in ended.stages] == ["completed"] * len(NAMES)
        assert " ".join(s.text for s in transcript.sentences).count("ask not") == 1
    counts = counts_of(up.data_dir)
    assert counts["video"] == counts["chunk"] == counts["completed events"] == 1
    assert counts["outbox"] == 0
    assert counts["files"] == 0


def killed_in(stage: str, folder: Path, web: WebServer) -> tuple[Up, str]:
    """A program that was killed while the stage's row read running, and the job it was at."""
    for number in range(CATCHES):
        up = Up(folder / str(number), WHISPER_MODEL="packaged-tiny.en")
        with up:
            slowly = "/slow" if stage == "download" else ""
            job_id = up.client.submit(f"{web.url}{slowly}/speech/jfk.flac").job_id
            with closing(sqlite3.connect(up.data_dir / "ytrag.db", isolation_level=None)) as rows:
                while state_of(stage, rows) == "pending":
                    pass
                up.kill()
                if state_of(stage, rows) == "running":
                    return up, job_id
    raise AssertionError(f"{stage} ended each time before it could be killed")


def state_of(stage: str, rows: sqlite3.Connection) -> str:
    return str(rows.execute("SELECT state FROM job_stage WHERE name = ?", (stage,)).fetchone()[0])


def counts_of(data_dir: Path) -> dict[str, int]:
    """How many of each thing there are once housekeeping is done."""
    queries = {
        "video": "SELECT count(*) FROM video",
        "chunk": "SELECT count(*) FROM chunk",
        "completed events": "SELECT count(*) FROM job_event WHERE type = 'completed'",
        "outbox": "SELECT count(*) FROM outbox",
    }
    with closing(sqlite3.connect(data_dir / "ytrag.db")) as rows:
        counts = {name: rows.execute(query).fetchone()[0] for name, query in queries.items()}
    counts["files"] = sum(path.is_file() for path in (data_dir / "files").rglob("*"))
    return counts
