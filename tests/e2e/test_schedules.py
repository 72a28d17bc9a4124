"""Schedules in a running program: over HTTP and from the command line."""

import json
import time
from typing import Any

from click.testing import CliRunner

from app.cli.main import main
from tests.rows import rows
from tests.up import Up
from tests.webserver import WebServer

DAILY = {"cron": "0 6 * * *", "timezone": "Europe/Berlin", "action": "ingest"}


def ytrag(up: Up, *arguments: str, code: int = 0) -> str:
    """What the command prints; code is the exit code that is expected."""
    done = CliRunner().invoke(main, ["schedules", *arguments], env=up.environment)
    assert done.exit_code == code, done.output
    return done.output


def answer(up: Up, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(ytrag(up, *arguments, "--json")))


def test_a_schedule_that_is_run_now_ingests_its_video(up: Up, web: WebServer) -> None:
    payload = {"url": f"{web.url}/speech/jfk.flac", "force": True}
    schedule = up.client.put_schedule("speech", payload=payload, **DAILY)

    started = up.client.run_schedule(schedule.id)

    ended = up.client.wait(started.job_id or "", timeout_s=180)
    after = up.client.schedule(schedule.id)
    assert ended.status == "completed"
    assert (after.last_job_id, after.last_outcome) == (started.job_id, started.message)
    assert after.next_run == schedule.next_run
    up.client.delete_schedule(schedule.id)


def test_the_program_keeps_house_by_a_schedule_of_its_own(up: Up) -> None:
    (own,) = [found for found in up.client.schedules().data if found.user_id == "system"]

    started = up.client.run_schedule(own.id)

    give_up = time.monotonic() + 120
    with rows(up.database_url) as query:
        while not query("SELECT 1 FROM message WHERE id = ? AND state = 'done'", started.message_id):
            assert time.monotonic() < give_up
            time.sleep(0.05)
        assert query("SELECT 1 FROM outbox WHERE actor = 'keep_house'") == []


def test_schedules_can_be_kept_from_the_command_line(up: Up, web: WebServer) -> None:
    url = f"{web.url}/speech/jfk.flac"
    daily = ("put", "daily talk", "--cron", "0 6 * * *", "--timezone", "Europe/Berlin", "--ingest", url)

    made = answer(up, *daily, "--priority", "low", "--disabled")
    listed = [row["id"] for row in answer(up, "list")["data"]]
    enabled, disabled = (answer(up, command, made["id"])["enabled"] for command in ("enable", "disable"))
    started = answer(up, "run", made["id"])
    table = ytrag(up, "list")
    up.client.cancel(started["job_id"])
    ytrag(up, "delete", made["id"])

    assert made["payload"]["priority"] == "low"
    assert (made["next_run"], enabled, disabled) == (None, True, False)
    assert made["id"] in listed
    assert "daily talk" in table
    assert "disabled" in table
    assert "not_found" in ytrag(up, "run", made["id"], code=4)


def test_a_schedule_that_says_not_what_to_do_is_wrong_usage(up: Up) -> None:
    assert "--ingest" in ytrag(up, "put", "nothing", "--cron", "0 6 * * *", code=2)
