"""Keys over HTTP, how many requests they may make, and whom an open server refuses."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.errors import InvalidSetting
from app.models import schema
from app.models.keys import ApiKey
from app.services import keys, rates
from app.web.application import create_app
from tests.integration.conftest import StoppedClock

LIMIT = 5


@pytest.fixture
def closed(settings: Config) -> FlaskClient:
    """The door of a server that asks for keys; without one of them nobody comes in."""
    production = replace(settings, env="production", requests_per_minute=LIMIT)
    schema.open_database(config.use(production))
    keys.create("nobody")
    return create_app(production).test_client()


def bearer(owner: str, role: str = "user", requests_per_minute: int | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create(owner, role, requests_per_minute)}"}


def test_an_admin_makes_lists_and_revokes_keys(closed: FlaskClient) -> None:
    root = bearer("root", "admin", 100)

    made = closed.post("/api/keys", json={"owner": "ada", "requests_per_minute": 9}, headers=root)
    new = made.get_json()
    ada = {"Authorization": f"Bearer {new['key']}"}
    used = closed.get("/api/jobs", headers=ada)
    listed = closed.get("/api/keys?limit=2", headers=root).get_json()
    rest = closed.get(f"/api/keys?cursor={listed['next_cursor']}", headers=root).get_json()
    revoked = closed.delete(f"/api/keys/{new['id']}", headers=root)

    assert (made.status_code, used.status_code, revoked.status_code) == (201, 200, 204)
    assert used.headers["RateLimit-Limit"] == "9"
    assert [key["owner"] for key in listed["data"]] == ["ada", "root"]
    assert [key["owner"] for key in rest["data"]] == ["nobody"]
    assert "key" not in listed["data"][0]
    assert closed.get("/api/jobs", headers=ada).status_code == 401


def test_keys_are_for_admins_and_none_revokes_itself(closed: FlaskClient) -> None:
    root, ada = bearer("root", "admin"), bearer("ada")
    own = root["Authorization"].split("_")[1]

    by_user = [
        closed.get("/api/keys", headers=ada),
        closed.post("/api/keys", json={"owner": "x"}, headers=ada),
    ]
    by_itself = closed.delete(f"/api/keys/{own}", headers=root)

    assert {(answer.status_code, answer.get_json()["code"]) for answer in by_user} == {(403, "forbidden")}
    assert (by_itself.status_code, by_itself.get_json()["code"]) == (409, "own_key")


def test_a_key_makes_its_requests_and_no_more_until_the_next_minute(
    closed: FlaskClient, time: StoppedClock
) -> None:
    ada, bob = bearer("ada"), bearer("bob")
    time.pass_s(20)

    answers = [closed.get("/api/jobs", headers=ada) for _ in range(LIMIT + 2)]
    others = closed.get("/api/jobs", headers=bob)
    time.pass_s(40)
    later = closed.get("/api/jobs", headers=ada)

    assert [answer.status_code for answer in answers] == [200] * LIMIT + [429] * 2
    assert [answer.headers.get("RateLimit-Remaining") for answer in answers[:LIMIT]] == list("43210")
    assert answers[0].headers["RateLimit-Reset"] == answers[-1].headers["Retry-After"] == "40"
    assert answers[-1].get_json()["code"] == "rate_limited"
    assert (others.status_code, later.status_code) == (200, 200)


def test_processes_share_a_keys_allowance(closed: FlaskClient, time: StoppedClock) -> None:
    ada = bearer("ada", "user", 200)
    answers = []

    for _ in range(3):  # each time as a process that has nothing in hand
        rates._in_hand.clear()
        answers += [closed.get("/api/jobs", headers=ada) for _ in range(100)]

    passed = sum(answer.status_code == 200 for answer in answers)
    assert passed == 200
    assert ApiKey.get(owner="ada").window_used == 200


def test_most_requests_count_without_writing(closed: FlaskClient, time: StoppedClock) -> None:
    ada = bearer("ada", "user", 5000)
    seen = set()

    for _ in range(100):
        closed.get("/api/jobs", headers=ada)
        seen.add(ApiKey.get(owner="ada").window_used)

    assert seen == {100}


def test_an_open_server_refuses_pages_and_names_of_others(api: FlaskClient) -> None:
    by_name = api.get("/api/jobs", headers={"Host": "evil.example"})
    by_page = api.post("/api/videos/process", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    own = api.get("/api/jobs", headers={"Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"})

    assert [by_name.get_json()["code"], by_page.get_json()["code"]] == ["cross_site"] * 2
    assert own.status_code == 200


@pytest.mark.parametrize(
    "setting",
    [
        {"YTRAG_DATABASE_URL": "mysql://ytrag:ytrag@db:3306/ytrag"},
        {"YTRAG_DATABASE_URL": "mysql://root@db:3306/ytrag"},
        {"YTRAG_BROKER_URL": "amqp://guest:guest@mq:5672/"},
        {"YTRAG_BROKER_URL": "amqp://mq:5672/"},
    ],
)
def test_production_does_not_start_with_default_passwords(setting: dict[str, str]) -> None:
    Config.from_env(setting)

    with pytest.raises(InvalidSetting, match=f"{next(iter(setting))} has no password"):
        Config.from_env({**setting, "YTRAG_ENV": "production"})
