"""The command line as people and scripts use it: what it prints, as JSON too, and how it exits."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.client import Client
from tests.conftest import FIXTURES
from tests.receiver import Receiver
from tests.up import ROOT, Up

JFK = str(FIXTURES / "speech" / "jfk.flac")
pytestmark = pytest.mark.parametrize("up", ["embedded"], indirect=True)  # it speaks HTTP with either form
Ytrag = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ytrag(up: Up) -> Ytrag:
    """Runs the program's own command with these words, told where the server and the settings are."""

    def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "app.cli.main", *words],
            env=up.environment | environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def told(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_file_goes_in_is_found_quoted_exported_and_forgotten(ytrag: Ytrag) -> None:
    job = told(ytrag("submit", JFK, "--force", "--wait", "--title", "Inaugural <b>address</b>", "--json"))
    video = job["video_id"]

    hit = told(ytrag("search", "ask not your country", "--video-id", video, "--json"))["hits"][0]
    context = told(ytrag("context", "ask not your country", "--video-id", video, "--json"))
    found = ytrag("search", "ask not your country", "--video-id", video)
    exported = ytrag("export", video, "--format", "srt")
    transcript = told(ytrag("export", video, "--json"))
    both = ytrag("export", video, "--json", "--format", "srt")
    listed = told(ytrag("videos", "--json"))["data"]
    stats = told(ytrag("jobs", "--stats", "--json"))
    again = ytrag("submit", JFK, "--wait", "--title", "Another")
    gone = told(ytrag("delete", video, "--yes", "--json"))

    assert job["status"] == "completed"
    assert [hit["text"][a:b].lower() for a, b in hit["highlights"]].count("country") >= 1
    assert context["passages"][0]["number"] == 1
    assert hit["text"] in context["text"]
    assert hit["text"] in found.stdout
    assert "Inaugural <b>address</b>" in found.stdout
    assert exported.stdout.startswith("1\n00:00:0")
    assert hit["text"] in [sentence["text"] for sentence in transcript["sentences"]]
    assert (both.returncode, "contradict" in both.stderr) == (2, True)
    assert video in [row["id"] for row in listed]
    assert stats["succeeded"] >= 1
    assert "Its title stays 'Inaugural <b>address</b>'" in " ".join((again.stdout + again.stderr).split())
    assert gone == {"video_id": video, "status": "deleted"}
    refused = ytrag("export", video, "--json")
    assert (refused.returncode, json.loads(refused.stderr)["code"]) == (4, "not_found")


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        (["status", "01K"], {}, 4, "not_found"),
        (["status", "01K"], {"YTRAG_SERVER": "http://127.0.0.1:9"}, 3, "server_unreachable"),
        (["status", "01K"], {"YTRAG_SERVER": "nonsense"}, 3, "server_unreachable"),
        (["search", "x", "--since", "tomorrow"], {}, 4, "invalid_input"),
        (["db", "upgrade"], {"YTRAG_PORT": "abc"}, 2, "invalid_setting"),
        (["submit", "javascript:alert(1)"], {}, 4, "invalid_url"),
    ],
)
def test_a_failure_is_told_by_exit_code_and_as_json(
    ytrag: Ytrag, words: list[str], environment: dict[str, str], code: int, said: str
) -> None:
    done = ytrag(*words, "--json", **environment)

    problem = json.loads(done.stderr)
    assert (done.returncode, problem["code"]) == (code, said)
    assert problem["detail"]
    assert problem["hint"]
    assert done.stdout == ""


def test_nothing_found_is_exit_code_1(ytrag: Ytrag) -> None:
    found = ytrag("search", "zyzzyva quux", "--mode", "keyword")

    assert (found.returncode, found.stdout.strip()) == (1, "Nothing was found.")


def test_a_job_is_cancelled_and_counted_in_bulk(ytrag: Ytrag, up: Up) -> None:
    jobs = [up.client.submit(f"http://127.0.0.1/cli-{n}.mp4", delay_s=9999).job_id for n in range(3)]

    counted = told(ytrag("bulk", "cancel", "--q", "/cli-", "--dry-run", "--json"))
    one = told(ytrag("cancel", jobs[0], "--json"))
    rest = ytrag("bulk", "cancel", "--q", "/cli-")

    assert (counted["matched"], counted["done"]) == (3, 3)
    assert one == {"job_id": jobs[0], "status": "cancelled"}
    assert rest.stdout.strip() == "cancel: 2 found, 2 done"
    assert {up.client.status(job).status for job in jobs} == {"cancelled"}


def test_keys_and_index_are_seen_to_on_the_settings_themselves(ytrag: Ytrag) -> None:
    made = told(ytrag("keys", "create", "ada", "--json"))
    prefix = "_".join(made["key"].split("_")[:2])

    listed = {row["prefix"]: row for row in told(ytrag("keys", "list", "--json"))["data"]}
    revoked = told(ytrag("keys", "revoke", prefix, "--json"))

    assert (listed[prefix]["owner"], listed[prefix]["revoked_at"]) == ("ada", None)
    assert revoked == {"prefix": prefix, "status": "revoked"}
    assert told(ytrag("reindex", "--json"))["videos"] >= 0
    assert told(ytrag("db", "upgrade", "--json")) == {"applied": []}


def test_a_job_is_followed_event_by_event_and_taken_up_behind_any(ytrag: Ytrag) -> None:
    job = told(ytrag("submit", JFK, "--force", "--title", "Followed", "--json"))["job_id"]

    lines = [json.loads(line) for line in ytrag("events", job, "--json").stdout.splitlines()]
    behind = ytrag("events", job, "--after", lines[-3]["id"], "--json").stdout.splitlines()
    nothing = ytrag("events", job, "--after", lines[-1]["id"])

    assert [line["id"] for line in lines] == [f"{job}:{number + 1}" for number in range(len(lines))]
    assert lines[-1]["event"] == "completed"
    assert [json.loads(line) for line in behind] == lines[-2:]
    assert (nothing.returncode, nothing.stdout) == (0, "")


def test_a_listener_stays_when_the_server_goes_and_comes_back(tmp_path: Path, up: Up) -> None:
    with Up(tmp_path, "serve") as serve, Client(serve.client.server) as client:

        def cancelled(number: int) -> str:
            job = client.submit(f"http://127.0.0.1/{number}.mp4", delay_s=3600).job_id
            client.cancel(job)
            return job

        first = cancelled(1)
        begin = next(client.events(first)).id
        heard = (event for event in client.events(last_event_id=begin) if event.kind == "cancelled")
        assert next(heard).data["job_id"] == first
        serve.stop()
        serve.start()
        second = cancelled(2)

        assert next(heard).data["job_id"] == second


def test_a_webhook_is_added_tested_looked_at_and_forgotten(ytrag: Ytrag) -> None:
    with Receiver() as receiver:
        hook = told(ytrag("webhooks", "add", receiver.url, "--event", "failed", "--json"))
        first = told(ytrag("webhooks", "test", hook["id"], "--json"))
        receiver.wait_for(1)
        again = told(ytrag("webhooks", "resend", hook["id"], first["id"], "--json"))
        calls = receiver.wait_for(2)
    listed = told(ytrag("webhooks", "list", "--json"))["data"]
    sent = told(ytrag("webhooks", "deliveries", hook["id"], "--json"))["data"]
    states = [told(ytrag("webhooks", to, hook["id"], "--json"))["state"] for to in ("disable", "enable")]
    gone = ytrag("webhooks", "delete", hook["id"])

    assert hook["secret"].startswith("whsec_")
    assert [call.headers["webhook-id"] for call in calls] == [first["id"], again["id"]] == [first["id"]] * 2
    assert [(row["id"], row["events"]) for row in listed] == [(hook["id"], ["failed"])]
    assert [row["id"] for row in sent] == [first["id"]]
    assert states == ["disabled", "active"]
    assert gone.returncode == 0
    assert ytrag("webhooks", "deliveries", hook["id"]).returncode == 4
