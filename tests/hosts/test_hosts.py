"""Three machines without a shared disk take one video from URL to search hit, though a cable is pulled."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.client import Client
from tests.chaos.proxy import Proxy
from tests.chaos.run import behind
from tests.hosts.net import DISK, Host, network
from tests.load.recording import join_whole
from tests.rows import broken_promises, rows
from tests.s3 import s3
from tests.up import ROOT, Program, Up
from tests.webserver import WebServer

SECONDS, CHUNK_S = 120, 12
SETTINGS = {
    "WHISPER_MODEL": "packaged-tiny.en", "EMBEDDING_MODEL": "packaged", "DATA_DIR": DISK,
    "CHUNK_S": str(CHUNK_S), "WHISPER_THREADS": "1", "WORKERS_ASR": "1x1", "LEASE_S": "4", "POLL_S": "0.2",
}  # fmt: skip
DOWN_S = 240


@pytest.mark.timeout(600)
def test_a_host_that_is_cut_off_in_mid_video_loses_and_doubles_nothing(
    fresh_database: str, fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}")

    (tmp_path / "web").mkdir()
    talk = join_whole(tmp_path / "web" / "talk.wav", SECONDS)
    with ExitStack() as ended:
        gateway, (front, left, right) = ended.enter_context(network("front", "left", "right"))
        web = ended.enter_context(WebServer(talk.path.parent, host=gateway))
        store = ended.enter_context(s3(gateway))
        for name, value in store.items():
            monkeypatch.setenv(name, value)
        where = {
            name: behind(ended.enter_context(Proxy.before(url, port, at=gateway)), url, at=gateway)
            for name, url, port in (
                ("DATABASE_URL", fresh_database, 3306),
                ("BROKER_URL", fresh_broker, 5672),
            )
        }
        settings = SETTINGS | where | {"STORAGE_URL": store["YTRAG_STORAGE_URL"], "ALLOWED_SOURCES": gateway}

        def started(program: Program, host: Host) -> Program:
            program.prefix = host.prefix
            return ended.enter_context(program)

        api = Up(tmp_path / "front", "serve", **settings, HOST=front.address, SERVER_NAME="front")
        command = [sys.executable, "-m", "app.cli.main", "keys", "create", "admin", "--role", "admin"]
        made = subprocess.run(
            command, env=api.environment | {"YTRAG_DATABASE_URL": fresh_database}, cwd=ROOT,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        api.client = Client(f"http://{front.address}:{api.settings['PORT']}", made.stdout.split()[-1])
        started(api, front)
        for host, commands in (
            (front, ("dispatcher", "worker io", "worker media", "worker light")),
            (left, ("worker asr",)),
            (right, ("worker asr",)),
        ):
            for words in commands:
                name = words.replace(" ", "-")
                started(Program(words, tmp_path / host.name, name, **settings, SERVER_NAME=host.name), host)
        say("front: API, dispatcher, io, media, light; left, right: asr; servers and S3 behind them")

        with rows(fresh_database) as query:
            job_id = api.client.submit(f"{web.url}/talk.wav", language="en").job_id
            of = "FROM chunk WHERE job_id = ? AND worker LIKE ?"

            def chunks(host: Host, state: str = "completed") -> int:
                return int(
                    query(f"SELECT COUNT(*) {of} AND state = ?", job_id, f"{host.name}:%", state)[0][0]
                )

            _until(lambda: chunks(left) and chunks(right) and chunks(left, "running"))
            say(f"left has done {chunks(left)} chunks, right {chunks(right)}; left is cut off")
            left.cut_off()
            job = api.client.wait(job_id, timeout_s=DOWN_S)
            say(f"{job.status}: left did {chunks(left)} chunks, right {chunks(right)}")
            again = query("SELECT COUNT(*) FROM chunk WHERE job_id = ? AND attempt > 1", job_id)[0][0]
            download = query("SELECT worker FROM job_stage WHERE job_id = ? AND name = 'download'", job_id)[
                0
            ][0]
            left.plug_in()
            say(f"{again} chunks were begun twice; left is plugged in")
            other = api.client.submit(f"{web.url}/talk.wav?again", language="en", force=True).job_id
            assert api.client.wait(other, timeout_s=DOWN_S).status == "completed"
            done = query(f"SELECT COUNT(*) {of}", other, "left:%")[0][0]
            say(f"another video: left did {done} of its chunks")
            _until(lambda: not broken_promises(query))

        hit = api.client.search("clocks in cold countries").hits[0]
    assert job.status == "completed", job.error
    assert again in (1, 2)
    assert str(download).startswith("front:")
    assert done
    assert "cold countries" in hit.text


def _until(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + DOWN_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)
