"""The dashboard over HTTP: who may see it, what it shows of messages, and what is done with them."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import config
from app.config import Config
from app.errors import UnexpectedError
from app.models import schema
from app.models.jobs import Job
from app.models.messages import Message, Outbox
from app.services import claims, intake, keys, outbox, recovery
from app.services.intake import Request
from app.web.application import create_app
from tests.integration.conftest import StoppedClock
from tests.integration.work import take

HTML = {"Accept": "text/html,*/*"}
SITE = "https://localhost"
HERE = HTML | {"Sec-Fetch-Site": "same-origin"}
URL = "https://www.youtube.com/watch?v="
TRACE = "Traceback (most recent call last): <script>alert(1)</script>"
PAGES = (
    *("/dramatiq", "/dramatiq/", "/dramatiq/queues/download", "/dramatiq/queues/download/failed"),
    *("/dramatiq/queues/download/standard/x", "/dramatiq/assets/stock.css", "/dramatiq/assets/dashboard.js"),
    *("/dramatiq/nothing",),
)
POSTS = ("/dramatiq/requeue-message", "/dramatiq/delete-message")


def submit(number: int = 0) -> str:
    """A job that waits for its download."""
    return intake.accept(Request("local", f"{URL}{number:011}", "A talk")).job.id


def fail(job_id: str) -> str:
    """Have its download fail for good; returns the id of its message."""
    claim = take(job_id, "download")
    claims.give_up(claim, UnexpectedError("It <b>broke</b>."), TRACE)
    return claim.message.id


def read(api: FlaskClient, path: str, **headers: str) -> TestResponse:
    return api.get(path, headers=HTML | headers, base_url=SITE)


def send(api: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Send a form of the dashboard, as a browser does that has opened it."""
    page = read(api, "/").text
    found = re.search(r'name="form_token" value="(\w+)"', page)
    data = {"form_token": found[1] if found else "", **fields}
    return api.post(path, data=data, headers=HERE, base_url=SITE)


@pytest.fixture
def closed(settings: Config) -> Callable[[str], tuple[FlaskClient, dict[str, str]]]:
    """A server that asks for keys, and the header of somebody with this role."""
    production = config.use(replace(settings, env="production", retry_delays_s=()))
    schema.open_database(production)

    def enter(role: str) -> tuple[FlaskClient, dict[str, str]]:
        header = {"Authorization": f"Bearer {keys.create('ada', role)}"}
        return create_app(production).test_client(), header

    return enter


@pytest.fixture
def failing(house: Config) -> Config:
    """A house in which the first failure is the last."""
    return config.use(replace(house, retry_delays_s=()))


@pytest.mark.parametrize("path", PAGES)
def test_nobody_but_admins_sees_anything(
    closed: Callable[[str], tuple[FlaskClient, dict[str, str]]], path: str
) -> None:
    api, user = closed("user")
    _, admin = closed("admin")

    stranger, browser = api.get(path, base_url=SITE), read(api, path)
    refused, shown = read(api, path, **user), read(api, path, **admin)

    assert stranger.status_code == 401
    assert (browser.status_code, browser.location.split("?")[0]) == (302, "/sign-in")
    assert refused.status_code == 403
    assert shown.status_code in (200, 302, 303, 404)


def test_there_is_no_route_that_a_stranger_or_a_user_may_take(
    closed: Callable[[str], tuple[FlaskClient, dict[str, str]]],
) -> None:
    api, user = closed("user")
    rules = [rule for rule in api.application.url_map.iter_rules() if rule.rule.startswith("/dramatiq")]

    assert len(rules) > 15
    for rule in rules:
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            assert api.open(path, method=method, base_url=SITE).status_code == 401, rule
            assert api.open(path, method=method, base_url=SITE, headers=user).status_code == 403, rule


@pytest.mark.parametrize("path", POSTS)
def test_a_form_counts_only_from_an_admins_open_page_of_this_very_site(
    closed: Callable[[str], tuple[FlaskClient, dict[str, str]]], path: str
) -> None:
    api, admin = closed("admin")
    form = {"queue": "download.XQ", "id": "x"}

    def post(**headers: str) -> TestResponse:
        return api.post(path, data=form, headers=headers, base_url=SITE)

    assert post().status_code == 401
    for site in ("cross-site", "same-site", "none"):
        assert post(**admin, **{"Sec-Fetch-Site": site}).get_json()["code"] == "cross_site"
    assert post(**admin, Origin="https://evil.example").get_json()["code"] == "cross_site"
    assert post(**admin, Origin="null").get_json()["code"] == "cross_site"
    assert post(**admin).get_json()["code"] == "cross_site"
    for ours in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": SITE}):
        assert post(**admin, **ours).get_json()["code"] == "form_expired"


def test_a_page_loads_nothing_foreign_is_not_framed_and_not_kept(api: FlaskClient) -> None:
    for path in PAGES:
        answer = read(api, path)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        if answer.mimetype == "text/html":
            assert answer.headers["Cache-Control"] == "no-store"
            assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=|javascript:", answer.text)


def test_no_cookie_finds_its_way_into_a_page(api: FlaskClient) -> None:
    submit()
    evil = '"><script>alert(1)</script>'
    answer = read(api, "/dramatiq/queues/download", Cookie=f"__dd_csrf={evil}; ytrag_form={evil}")

    assert "alert(1)" not in answer.text
    cookies = answer.headers.getlist("Set-Cookie")
    assert not [cookie for cookie in cookies if "__dd_csrf" in cookie]
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))


@pytest.mark.parametrize("cursor", ["x", "-1", "1", "1.5", "9" * 200, "9" * 5000, "%00"])
def test_a_cursor_that_is_none_of_ours_is_told(api: FlaskClient, cursor: str) -> None:
    answer = read(api, f"/dramatiq/queues/download?cursor={cursor}")

    assert answer.status_code == 422
    assert "cursor" in answer.text


@pytest.mark.parametrize(
    "path", ["queues/nonsense", "queues/download.DQ", "queues/", "queues/download/never"]
)
def test_a_page_that_there_is_not_is_a_404(api: FlaskClient, path: str) -> None:
    assert read(api, f"/dramatiq/{path}").status_code == 404


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_fields_is_told(api: FlaskClient, path: str) -> None:
    assert send(api, path).status_code == 422
    assert send(api, path, queue="download.XQ").status_code == 422
    assert send(api, path, queue="download.XQ", id="x" * 99).status_code == 422
    assert send(api, path, queue="download.XQ", id="none").status_code == 404


def test_a_message_is_shown_with_its_arguments_history_worker_and_last_traceback(
    api: FlaskClient, failing: Config
) -> None:
    job_id = submit()
    message_id = fail(job_id)

    listed = read(api, "/dramatiq/queues/download/failed").text
    page = read(api, f"/dramatiq/queues/download/failed/{message_id}").text

    assert message_id in listed
    assert "Failed (" in listed
    for part in (job_id, "running  one", "dead  one", "Attempts", "Traceback", "It &lt;b&gt;broke&lt;/b&gt;"):
        assert part in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_a_requeued_message_is_published_once_however_often_it_is_clicked(
    api: FlaskClient, failing: Config
) -> None:
    job_id = submit()
    message_id = fail(job_id)
    assert outbox.claim_due() is not None
    Outbox.delete().execute()

    answers = [send(api, POSTS[0], queue="download.XQ", id=message_id) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {303}
    assert [(row.actor, row.subject) for row in Outbox.select()] == [("download", job_id)]
    assert Job.get_by_id(job_id).state == "pending"
    assert "no jobs in this queue" in read(api, "/dramatiq/queues/download/failed").text
    history = read(api, f"/dramatiq/queues/download/failed/{message_id}").text
    assert "requeued" in history
    assert "Traceback" in history


def test_deleting_a_failed_message_puts_its_job_with_the_cancelled_and_loses_nothing(
    api: FlaskClient, failing: Config
) -> None:
    job_id = submit()
    message_id = fail(job_id)

    assert send(api, POSTS[1], queue="download.XQ", id=message_id).status_code == 303

    job = Job.get_by_id(job_id)
    assert (job.state, job.error_code) == ("cancelled", "internal_error")
    assert Message.get_by_id(message_id).traceback == TRACE
    assert "no jobs in this queue" in read(api, "/dramatiq/queues/download/failed").text


def test_a_message_whose_worker_died_for_the_last_time_is_with_the_failed(
    api: FlaskClient, failing: Config, time: StoppedClock
) -> None:
    job_id = submit()
    claim = take(job_id, "download")
    time.pass_s(failing.lease_s + 1)
    recovery.recover()

    assert Job.get_by_id(job_id).state == "failed"
    assert claim.message.id in read(api, "/dramatiq/queues/download/failed").text
    page = read(api, f"/dramatiq/queues/download/failed/{claim.message.id}").text
    assert "The worker died or fell silent in download" in page


def test_deleting_a_message_that_waits_cancels_its_job(api: FlaskClient) -> None:
    job_id = submit()
    outbox.claim_due()
    message_id = Job.get_by_id(job_id).message_id
    assert message_id in read(api, "/dramatiq/queues/download").text

    assert send(api, POSTS[1], queue="download", id=message_id).status_code == 303

    assert Job.get_by_id(job_id).state == "cancelled"
    assert message_id not in read(api, "/dramatiq/queues/download").text


def test_what_the_program_needs_for_itself_cannot_be_deleted(api: FlaskClient) -> None:
    job_id = submit()
    send(api, POSTS[1], queue="download", id=Job.get_by_id(job_id).message_id)
    outbox.claim_due()
    needed = Message.get(Message.actor == "clean_up")

    answer = send(api, POSTS[1], queue="housekeeping", id=needed.id)

    assert answer.status_code == 409
    assert needed.id in read(api, "/dramatiq/queues/housekeeping").text


def test_all_messages_are_on_some_page_and_none_on_two(
    api: FlaskClient, failing: Config, time: StoppedClock
) -> None:
    wanted = [fail(submit(number)) for number in range(120)]  # many at the same moment

    seen: list[str] = []
    path: str | None = "/dramatiq/queues/download/failed"
    while path:
        page = read(api, path).text
        seen += re.findall(r"/failed/([\w-]+)\"", page)
        more = re.search(r'href="([^"]+cursor=\d+)"', page)
        path = more[1] if more else None

    assert sorted(seen) == sorted(wanted)


def test_messages_that_wait_for_their_time_come_the_first_due_first(
    api: FlaskClient, house: Config, time: StoppedClock
) -> None:
    ids = []
    for number in range(3):
        job_id = submit(number)
        claim = take(job_id, "download")
        claims.give_up(claim, UnexpectedError("Not now."), TRACE)
        ids.append(claim.message.id)
        time.pass_s(1)

    page = read(api, "/dramatiq/queues/download/delayed").text

    assert [ids.index(found) for found in re.findall(r"/delayed/([\w-]+)\"", page)] == [0, 1, 2]
    assert "Not now." in read(api, f"/dramatiq/queues/download/delayed/{ids[0]}").text


def test_a_dashboard_that_only_shows_offers_and_does_nothing(api: FlaskClient, failing: Config) -> None:
    message_id = fail(submit())
    config.use(replace(failing, read_only=True))

    page = read(api, "/dramatiq/queues/download/failed").text
    answers = [send(api, path, queue="download.XQ", id=message_id) for path in POSTS]

    assert "<form" not in page
    assert "read only" in page
    assert [answer.status_code for answer in answers] == [403, 403]
    assert Message.get_by_id(message_id).state == "dead"
