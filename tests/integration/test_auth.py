"""Who may come in, and what they see."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.errors import InvalidInput, InvalidSetting, NotFound
from app.models import schema
from app.models.keys import ApiKey
from app.services import keys
from app.web.application import create_app
from tests.integration.conftest import StoppedClock

URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


@pytest.fixture
def closed(settings: Config) -> Config:
    """Settings of a server that asks for keys."""
    production = replace(settings, env="production")
    schema.open_database(config.use(production))
    return production


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def door(closed: Config, owner: str, role: str = "user") -> tuple[FlaskClient, dict[str, str]]:
    key = keys.create(owner, role)
    return create_app(closed).test_client(), bearer(key)


@pytest.mark.parametrize(("env", "host"), [("production", "127.0.0.1"), ("development", "0.0.0.0")])
def test_a_closed_server_without_any_key_does_not_start(closed: Config, env: str, host: str) -> None:
    wanted = Config.from_env({"YTRAG_ENV": env, "YTRAG_HOST": host})

    with pytest.raises(InvalidSetting, match="keys create"):
        create_app(replace(wanted, data_dir=closed.data_dir, database_url=closed.database_url))


def test_without_a_key_nothing_is_told_but_health_and_documentation(closed: Config) -> None:
    api, _ = door(closed, "ada")

    refused = [api.get(path) for path in ("/api/jobs", "/api/videos", "/api/search?q=x", "/", "/anything")]
    told = [api.get(path) for path in ("/healthz", "/health", "/readyz", "/api/openapi.json", "/api/docs")]

    assert {answer.status_code for answer in refused} == {401}
    assert refused[0].headers["WWW-Authenticate"] == "Bearer"
    assert {answer.status_code for answer in told} == {200}


@pytest.mark.parametrize("key", ["nonsense", "ytrag_", "ytrag_00000000_wrong", "ytrag_{prefix}_wrong", ""])
def test_a_wrong_key_is_refused(closed: Config, key: str) -> None:
    api, good = door(closed, "ada")
    prefix = good["Authorization"].split("_")[1]

    answer = api.get("/api/jobs", headers=bearer(key.format(prefix=prefix)))

    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthorized")


def test_users_see_their_own_jobs_and_admins_all(closed: Config) -> None:
    api, ada = door(closed, "ada")
    _, bob = door(closed, "bob")
    _, admin = door(closed, "root", "admin")
    job = api.post("/api/videos/process", json={"url": URL}, headers=ada).get_json()["job_id"]

    codes = [api.get(f"/api/jobs/{job}/status", headers=who).status_code for who in (ada, bob, admin)]
    stolen = api.delete(f"/api/jobs/{job}", headers=bob)

    assert codes == [200, 404, 200]
    assert stolen.status_code == 404
    assert api.get("/api/jobs", headers=bob).get_json()["data"] == []


def test_two_owners_of_one_video_have_a_job_each(closed: Config) -> None:
    api, ada = door(closed, "ada")
    _, bob = door(closed, "bob")

    answers = [api.post("/api/videos/process", json={"url": URL}, headers=who) for who in (ada, bob)]

    assert [answer.status_code for answer in answers] == [202, 202]


def test_a_revoked_key_is_out_of_force_at_once(closed: Config) -> None:
    api, ada = door(closed, "ada")
    prefix = ada["Authorization"].split("_")[1]

    keys.revoke(prefix)

    assert api.get("/api/jobs", headers=ada).status_code == 401
    with pytest.raises(NotFound):
        keys.revoke(prefix)


def test_only_a_hash_of_a_key_is_kept_and_its_use_is_noted(closed: Config, time: StoppedClock) -> None:
    api, ada = door(closed, "ada")
    api.get("/api/jobs", headers=ada)

    row = ApiKey.get()
    secret = ada["Authorization"].split("_", 2)[2]
    assert secret not in str(row.__data__)
    assert row.last_used_at == time.now()


def test_a_key_needs_an_owner_and_a_known_role(closed: Config) -> None:
    for owner, role in (("", "user"), ("ada", "king")):
        with pytest.raises(InvalidInput):
            keys.create(owner, role)
