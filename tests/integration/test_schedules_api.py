"""Schedules over HTTP: added or updated by name, and refused by the name of what is wrong."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.config import Config
from app.services import schedules
from tests.integration import test_auth
from tests.integration.conftest import StoppedClock
from tests.integration.test_auth import door

closed = test_auth.closed
URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"
MORNINGS: dict[str, Any] = {
    "name": "mornings",
    "cron": "0 6 * * 1-5",
    "timezone": "Europe/Berlin",
    "action": "ingest",
    "payload": {"url": "https://youtu.be/jNQXAC9IVRw", "priority": "high"},
}


def put(api: FlaskClient, headers: dict[str, str] | None = None, **changes: object) -> dict[str, Any]:
    answer = api.put("/api/schedules", json=MORNINGS | changes, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.get_json())


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_schedule_is_added_with_its_next_time_and_can_be_read_where_the_answer_points(
    api: FlaskClient, time: StoppedClock, method: str
) -> None:
    answer = api.open("/api/schedules", method=method, json=MORNINGS)

    body = answer.get_json()
    payload = {"url": URL, "mode": "auto", "priority": "high", "language": None, "force": False}
    assert answer.status_code == 201
    assert api.get(answer.headers["Location"]).get_json() == body
    assert {name: body[name] for name in MORNINGS} == MORNINGS | {"payload": payload}
    assert (body["enabled"], body["next_run"]) == (True, "2026-03-02T05:00:00Z")
    assert (body["last_run"], body["last_job_id"], body["last_outcome"]) == (None, None, None)
    assert set(body["links"]) == {"self", "run"}


def test_the_same_name_again_updates_the_schedule(api: FlaskClient, time: StoppedClock) -> None:
    first = put(api)

    answer = api.put("/api/schedules", json=MORNINGS | {"cron": "0 7 * * *", "timezone": "UTC"})

    assert answer.status_code == 200
    assert answer.get_json()["id"] == first["id"]
    assert answer.get_json()["next_run"] == "2026-03-02T07:00:00Z"
    assert [row["id"] for row in api.get("/api/schedules").get_json()["data"]] == [first["id"]]


def test_an_update_leaves_a_disabled_schedule_disabled_unless_it_says_otherwise(api: FlaskClient) -> None:
    put(api, enabled=False)

    assert put(api, cron="0 7 * * *")["enabled"] is False
    again = put(api, enabled=True)
    assert (again["enabled"], again["next_run"] is None) == (True, False)


def test_a_disabled_schedule_has_no_next_time(api: FlaskClient, time: StoppedClock) -> None:
    path = f"/api/schedules/{put(api)['id']}"

    off, on = (api.patch(path, json={"enabled": enabled}).get_json() for enabled in (False, True))

    assert (off["enabled"], off["next_run"]) == (False, None)
    assert (on["enabled"], on["next_run"]) == (True, "2026-03-02T05:00:00Z")


def test_run_starts_the_job_at_once_and_is_noted(api: FlaskClient, time: StoppedClock) -> None:
    schedule = put(api, enabled=False)

    answer = api.post(schedule["links"]["run"])

    body = answer.get_json()
    assert answer.status_code == 202
    assert (body["status"], body["deduplicated"]) == ("Queued", False)
    job = api.get(answer.headers["Location"]).get_json()
    assert (job["job_id"], job["url"], job["priority"]) == (body["job_id"], URL, "high")
    after = api.get(schedule["links"]["self"]).get_json()
    assert after["last_job_id"] == body["job_id"]
    assert after["last_run"] == "2026-03-01T12:00:00Z"
    assert after["enabled"] is False


def test_run_joins_the_job_that_is_at_work(api: FlaskClient, time: StoppedClock) -> None:
    run = put(api, payload={"url": URL, "force": True})["links"]["run"]
    first = api.post(run).get_json()
    time.pass_s(1)

    second = api.post(run)

    assert second.status_code == 202
    assert second.get_json()["job_id"] == first["job_id"]
    assert (second.get_json()["deduplicated"], second.get_json()["status"]) == (True, "Pending")


def test_a_deleted_schedule_is_gone_and_its_job_stays(api: FlaskClient) -> None:
    schedule = put(api)
    job = api.post(schedule["links"]["run"]).get_json()["job_id"]

    deleted = api.delete(schedule["links"]["self"])

    assert deleted.status_code == 204
    assert api.get(schedule["links"]["self"]).status_code == 404
    assert api.get(f"/api/jobs/{job}/status").status_code == 200


def test_schedules_are_listed_newest_first_in_pages_without_gaps(api: FlaskClient) -> None:
    made = [put(api, name=f"number {number}")["id"] for number in range(5)]

    first = api.get("/api/schedules?limit=3").get_json()
    second = api.get(f"/api/schedules?limit=3&cursor={first['next_cursor']}").get_json()

    assert [row["id"] for row in first["data"] + second["data"]] == sorted(made, reverse=True)
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"cron": "0 6 * *"}, "five fields"),
        ({"cron": "0 0 6 * * *"}, "five fields"),
        ({"cron": "61 6 * * *"}, "minute"),
        ({"cron": "0 6 * * 8"}, "day-of-week"),
        ({"cron": "*" * 101}, "cron"),
        ({"cron": None}, "cron"),
        ({"timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"name": " "}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"action": "sync", "payload": {"url": URL}}, "neither a playlist nor a channel"),
        ({"action": None}, "action"),
        ({"payload": None}, "payload"),
        ({"payload": {}}, "payload.url"),
        ({"payload": {"url": URL, "extra": 1}}, "payload.extra"),
        ({"payload": {"url": URL, "priority": "highest"}}, "payload.priority"),
        ({"payload": {"url": URL, "language": "xx"}}, "payload.language"),
        ({"payload": {"url": "ftp://www.youtube.com/"}}, "ftp://www.youtube.com/"),
        ({"payload": {"url": "https://example.org/a.mp4"}}, "example.org"),
        ({"payload": {"url": "https://www.youtube.com/@someone"}}, "is a playlist or a channel"),
        ({"action": "housekeeping", "payload": {"name": "dishes"}}, "dishes"),
        ({"action": "housekeeping"}, "payload.name"),
        ({"owner": "bob"}, "owner"),
    ],
)
def test_a_bad_schedule_is_refused_by_the_name_of_what_is_wrong(
    api: FlaskClient, changes: dict[str, object], named: str
) -> None:
    answer = api.put("/api/schedules", json=MORNINGS | changes)

    assert answer.status_code == 422
    assert named in answer.get_json()["detail"]
    assert api.get("/api/schedules").get_json()["data"] == []


@pytest.mark.parametrize("body", [None, [], "text", {}])
def test_what_is_no_schedule_at_all_is_refused(api: FlaskClient, body: object) -> None:
    assert api.put("/api/schedules", json=body).status_code == 422


@pytest.mark.parametrize("body", [{}, {"enabled": None}, {"enabled": True, "cron": "0 6 * * *"}])
def test_only_enabled_can_be_patched(api: FlaskClient, body: object) -> None:
    assert api.patch(put(api)["links"]["self"], json=body).status_code == 422


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/run")])
def test_what_is_not_there_is_a_404(api: FlaskClient, method: str, path: str) -> None:
    address = f"/api/schedules/01JXAMPLE0000000000000000A{path}"

    answer = api.open(address, method=method, json={"enabled": True} if method == "PATCH" else None)

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_owners_see_and_change_their_own_schedules_only(closed: Config) -> None:
    api, ada = door(closed, "ada")
    _, bob = door(closed, "bob")
    _, admin = door(closed, "root", "admin")
    path = put(api, ada)["links"]["self"]
    put(api, bob)

    seen = [api.get(path, headers=who).status_code for who in (ada, bob, admin)]
    stolen = [
        api.patch(path, json={"enabled": False}, headers=bob),
        api.post(f"{path}/run", headers=bob),
        api.delete(path, headers=bob),
    ]

    assert seen == [200, 404, 200]
    assert [answer.status_code for answer in stolen] == [404, 404, 404]
    users = [
        {row["user_id"] for row in api.get("/api/schedules", headers=who).get_json()["data"]}
        for who in (ada, bob, admin)
    ]
    assert users == [{"ada"}, {"bob"}, {"ada", "bob"}]


def test_the_programs_own_schedules_are_for_admins_to_run_and_disable_and_no_more(
    closed: Config, time: StoppedClock
) -> None:
    api, ada = door(closed, "ada")
    _, admin = door(closed, "root", "admin")
    _, system = door(closed, "system", "admin")
    schedules.ensure_system_schedules(3600)

    (own,) = api.get("/api/schedules", headers=admin).get_json()["data"]

    path = own["links"]["self"]
    assert (own["user_id"], own["action"], own["payload"]) == (
        "system",
        "housekeeping",
        {"name": "retention"},
    )
    assert api.get("/api/schedules", headers=ada).get_json()["data"] == []
    assert api.get(path, headers=ada).status_code == 404
    refused = api.delete(path, headers=admin), api.put("/api/schedules", json=MORNINGS, headers=system)
    assert [(answer.status_code, answer.get_json()["code"]) for answer in refused] == [
        (409, "system_schedule")
    ] * 2
    ran = api.post(f"{path}/run", headers=admin)
    assert (ran.status_code, ran.get_json()["job_id"]) == (202, None)
    assert api.patch(path, json={"enabled": False}, headers=admin).get_json()["enabled"] is False


def test_only_admins_schedule_housekeeping(closed: Config) -> None:
    api, ada = door(closed, "ada")
    _, admin = door(closed, "root", "admin")
    nightly = {**MORNINGS, "action": "housekeeping", "payload": {"name": "retention"}}

    answers = [api.put("/api/schedules", json=nightly, headers=who) for who in (ada, admin)]

    assert [answer.status_code for answer in answers] == [422, 201]
    assert "admin" in answers[0].get_json()["detail"]
