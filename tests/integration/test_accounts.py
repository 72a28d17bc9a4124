"""Admins who sign in with a name and a password: their hashes, their sessions, and how often one may try."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.errors import InvalidInput, NotFound
from app.models import schema
from app.models.operators import Account, AuditEntry
from app.services import accounts, keys, sessions
from app.web.application import create_app
from tests.integration.conftest import StoppedClock
from tests.integration.test_pages import read, send

PASSWORD = "correct horse battery"


@pytest.fixture
def door(settings: Config) -> FlaskClient:
    """A server that asks for keys and has none, but an admin with a password."""
    closed = config.use(replace(settings, env="production"))
    schema.open_database(closed)
    accounts.put("ada", PASSWORD)
    return create_app(closed).test_client()


def sign_in(api: FlaskClient, name: str = "ada", password: str = PASSWORD) -> int:
    return send(api, "/sign-in", "/sign-in", name=name, password=password).status_code


def test_an_admin_comes_in_with_a_password_that_is_kept_as_a_hash(door: FlaskClient) -> None:
    assert sign_in(door) == 303

    assert read(door, "/dramatiq/").status_code == 200
    assert Account.get().password_hash.startswith("$argon2id$")
    assert PASSWORD not in str([row.__data__ for row in Account.select()])
    assert [(entry.who, entry.action, entry.outcome) for entry in AuditEntry.select()] == [
        ("ada", "sign in", "done")
    ]


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong"), ("eve", PASSWORD), ("ada", ""), ("x" * 99, "y")]
)
def test_nobody_else_comes_in_and_it_is_noted(door: FlaskClient, name: str, password: str) -> None:
    assert sign_in(door, name, password) == 401

    assert read(door, "/dramatiq/").status_code == 302
    assert AuditEntry.get().outcome == "refused"


def test_a_name_may_be_tried_so_often_and_an_address_too(door: FlaskClient, time: StoppedClock) -> None:
    tried = [sign_in(door, password="wrong") for _ in range(accounts.TRIES_OF_NAME + 1)]
    right = sign_in(door)
    others = [sign_in(door, name=f"eve{number}") for number in range(accounts.TRIES_FROM_ADDRESS)]
    by_key = send(door, "/sign-in", "/sign-in", key=keys.create("bob")).status_code
    time.moment += accounts.WINDOW + timedelta(seconds=1)

    assert tried == [401] * accounts.TRIES_OF_NAME + [429]
    assert right == 429
    assert others[0] == 401
    assert others[-1] == 429
    assert by_key == 303
    assert sign_in(door) == 303


@pytest.mark.parametrize("trusted", ["", "127.0.0.0/8", "10.0.0.1"])
def test_only_a_trusted_proxy_says_from_where_somebody_signs_in(settings: Config, trusted: str) -> None:
    variables = {"YTRAG_TRUSTED_PROXIES": trusted}
    closed = replace(settings, env="production", trusted_proxies=Config.from_env(variables).trusted_proxies)
    schema.open_database(config.use(closed))
    keys.create("ada", role="admin")
    door = create_app(closed).test_client()
    door.environ_base["HTTP_X_FORWARDED_FOR"] = "6.6.6.6, 203.0.113.9"

    assert sign_in(door) == 401

    assert AuditEntry.get().target == f"from {'203.0.113.9' if trusted == '127.0.0.0/8' else '127.0.0.1'}"


def test_another_password_and_a_deletion_end_the_sessions(door: FlaskClient) -> None:
    first = sessions.start_with_password("ada", PASSWORD)
    assert accounts.put("ada", PASSWORD + " staple") is False
    second = sessions.start_with_password("ada", PASSWORD + " staple")

    assert sessions.caller(first) is None
    found = sessions.caller(second)
    assert found is not None
    assert found.role == "admin"
    accounts.delete("ada")
    assert sessions.caller(second) is None
    with pytest.raises(NotFound):
        accounts.delete("ada")


@pytest.mark.parametrize(
    ("name", "password"), [("", PASSWORD), ("x" * 65, PASSWORD), ("ada", "short"), ("a\n", PASSWORD)]
)
def test_a_name_or_password_that_will_not_do_is_told(house: Config, name: str, password: str) -> None:
    with pytest.raises(InvalidInput):
        accounts.put(name, password)
