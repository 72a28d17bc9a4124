"""A job's priority goes with each of its messages: stages, chunks, retries and delays, in both forms."""

import json
from pathlib import Path

import pytest

from app.errors import SourceUnreachable
from app.models.base import transactional
from app.models.messages import Outbox
from app.services import claims, duplicates
from app.services.messages import MessageRef
from app.stages import CHUNK_ACTOR, NAMES
from app.values import PRIORITIES
from tests.downloads import dispatch, jobs_of
from tests.up import ROOT, Production, Up
from tests.webserver import WebServer

SETTINGS = {
    "WHISPER_MODEL": "packaged-tiny.en",
    "CHUNK_S": "10",
    "RETRY_DELAYS_S": "0.1,0.1,0.1",
    "POLL_S": "0.2",
}


@pytest.fixture(params=["embedded", "production"])
def form(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Up:
    """The program in each form, its processes noting the messages that they send."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests/overheard'}:{ROOT}")
    monkeypatch.setenv("OVERHEARD", str(tmp_path / "messages"))
    if request.param == "embedded":
        return Up(tmp_path / "data", **SETTINGS)
    where = {name: request.getfixturevalue(f"fresh_{name}") for name in ("database", "broker")}
    return Production(
        tmp_path / "data", database_url=where["database"], broker_url=where["broker"], **SETTINGS
    )


def test_every_message_of_a_job_has_its_priority(form: Up, web: WebServer, tmp_path: Path) -> None:
    with form as up:
        priorities = {
            up.client.submit(
                f"{web.url}/once/{priority}/speech/jfk.flac",
                priority=priority,
                language="en",
                delay_s=delay_s,
            ).job_id: PRIORITIES[priority]
            for priority, delay_s in (("low", None), ("high", 1), ("critical", None))
        }
        ends = [up.client.wait(job, timeout_s=180).status for job in priorities]

    sent: list[tuple[str, str, int]] = [
        (actor, job, priority)
        for actor, job, priority in map(json.loads, (tmp_path / "messages").read_text().splitlines())
        if actor in (*NAMES, CHUNK_ACTOR)
    ]
    assert ends == ["completed"] * 3
    assert [message for message in sent if message[2] != priorities[message[1]]] == []
    for job in priorities:
        of_job = [actor for actor, other, _ in sent if other == job]
        assert set(of_job) == {*NAMES, CHUNK_ACTOR}
        assert of_job.count("download") >= 2  # it was tried again
        assert of_job.count(CHUNK_ACTOR) >= 2


@pytest.mark.usefixtures("house", "time")
def test_a_retry_goes_as_high_as_its_job_was_raised_while_it_ran() -> None:
    (job,) = jobs_of(1)
    dispatch()
    claim = claims.take(MessageRef(job.message_id, "download", job.id, job.priority), None, "one")
    assert claim
    transactional(duplicates.raise_priority)(job, PRIORITIES["critical"])

    claims.give_up(claim, SourceUnreachable("no answer"), "")

    assert [(row.actor, row.priority) for row in Outbox.select()] == [("download", PRIORITIES["critical"])]
