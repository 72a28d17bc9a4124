"""Pages as a browser's requests see them: who comes in, which forms count, and what may be loaded."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import config
from app.config import Config
from app.models import schema
from app.models.jobs import Job
from app.models.sessions import Session
from app.services import keys, sessions
from app.web.application import create_app
from app.web.pages.filters import marked, web_address
from tests.integration.conftest import StoppedClock

HTML = {"Accept": "text/html,*/*"}
URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


def read(api: FlaskClient, path: str) -> TestResponse:
    return api.get(path, headers=HTML, base_url="https://localhost")


def send(api: FlaskClient, path: str, page: str = "/", **fields: str) -> TestResponse:
    """Send a form of the page, as a browser does that has opened it."""
    found = re.search(r'name="form_token" value="(\w+)"', read(api, page).text)
    token = found[1] if found else ""
    return api.post(path, data={"form_token": token, **fields}, headers=HTML, base_url="https://localhost")


@pytest.fixture
def door(settings: Config) -> tuple[FlaskClient, str]:
    """A server that asks for keys, and the key of a user."""
    closed = config.use(replace(settings, env="production"))
    schema.open_database(closed)
    key = keys.create("ada")
    return create_app(closed).test_client(), key


def test_a_video_is_submitted_by_a_form_once_however_often_it_is_sent(api: FlaskClient) -> None:
    first, again = (send(api, "/submit", url=URL, priority="high") for _ in range(2))

    assert (first.status_code, first.location) == (303, again.location)
    assert Job.get().url == URL
    assert URL in read(api, first.location).text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("javascript:alert(1)", "not a web address"),
        ("https://evil.example/x", "does not download from evil.example"),
        ("", "Paste an address"),
        ("x" * 3000, "at most 2048 characters"),
    ],
)
def test_a_wrong_address_is_told_beside_the_form(api: FlaskClient, url: str, said: str) -> None:
    answer = send(api, "/submit", url=url)

    assert answer.status_code == 422
    assert said in answer.text
    assert Job.select().count() == 0


def test_a_form_that_is_not_from_our_own_page_changes_nothing(api: FlaskClient) -> None:
    read(api, "/")
    answers = [
        api.post("/submit", data={"url": URL}, headers=HTML, base_url="https://localhost"),
        api.post("/submit", data={"url": URL, "form_token": "0" * 64}, base_url="https://localhost"),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[1].get_json()["code"] == "form_expired"
    assert Job.select().count() == 0


def test_pages_load_nothing_foreign_and_run_no_inline_script(api: FlaskClient) -> None:
    for path in ("/", "/videos", "/search", "/search?q=x&mode=keyword", "/videos/none"):
        answer = read(api, path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|javascript:", answer.text)


def test_a_browser_is_led_to_sign_in_and_back(door: tuple[FlaskClient, str]) -> None:
    api, key = door
    led = read(api, "/videos?cursor=")
    wrong = send(api, "/sign-in", "/sign-in", key="ytrag_00000000_x")
    right = send(api, "/sign-in", "/sign-in?next=/videos", key=key, next="/videos")

    assert led.status_code == 302
    assert led.location.startswith("/sign-in?next=%2Fvideos")
    assert wrong.status_code == 401
    assert "not known" in wrong.text
    assert (right.status_code, right.location) == (303, "/videos")
    cookie = next(value for value in right.headers.getlist("Set-Cookie") if "ytrag_session" in value)
    assert {"Secure", "HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    assert read(api, "/videos").status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_signing_in_leads_to_no_other_site(door: tuple[FlaskClient, str], elsewhere: str) -> None:
    api, key = door

    assert send(api, "/sign-in", "/sign-in", key=key, next=elsewhere).location == "/"


def test_a_session_reads_the_api_but_changes_things_by_forms_only(door: tuple[FlaskClient, str]) -> None:
    api, key = door
    send(api, "/sign-in", "/sign-in", key=key)

    seen = api.get("/api/jobs", base_url="https://localhost")
    forged = api.post("/api/videos/process", json={"url": URL}, base_url="https://localhost")
    submitted = send(api, "/submit", url=URL)

    assert [seen.status_code, forged.status_code, submitted.status_code] == [200, 401, 303]
    assert Job.get().owner == "ada"


def test_a_session_is_over_when_its_key_is_its_day_is_or_its_user_says_so(
    door: tuple[FlaskClient, str], time: StoppedClock
) -> None:
    _, key = door
    by_key, by_time, by_user = (sessions.start(k) for k in (key, keys.create("bob"), keys.create("eve")))
    assert key not in str([row.__data__ for row in Session.select()])
    assert by_key not in str([row.__data__ for row in Session.select()])

    keys.revoke(key.split("_")[1])
    sessions.end(by_user)
    there = [sessions.caller(token) for token in (by_key, by_time, by_user, "")]
    time.moment += timedelta(hours=13)

    assert [found.owner if found else None for found in there] == [None, "bob", None, None]
    assert sessions.caller(by_time) is None


def test_programs_get_problems_where_people_get_pages(door: tuple[FlaskClient, str]) -> None:
    api, _ = door

    assert api.get("/").get_json()["code"] == "unauthorized"
    assert api.get("/api/jobs", headers=HTML).get_json()["code"] == "unauthorized"


def test_marks_are_the_only_markup_in_a_marked_text() -> None:
    assert marked("<b>x</b> & y", [(3, 4)]) == "&lt;b&gt;<mark>x</mark>&lt;/b&gt; &amp; y"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "upload:x", "//evil", "", None, "JaVaScRiPt:x"]
)
def test_an_address_that_is_no_web_page_is_no_link(url: str | None) -> None:
    assert web_address(url) == ""
