"""The dashboard in a real browser, over RabbitMQ and MariaDB, closed as in production."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pika
import pytest
from playwright.sync_api import Browser, Page, expect

from app.client import Client
from tests.browser import Watched, chromium
from tests.conftest import FIXTURES
from tests.services import fresh_broker, fresh_database, management_url
from tests.up import ROOT, Production
from tests.webserver import WebServer

PASSWORD = "correct horse battery"
EVIL = "<img/src=x/onerror=alert(1)>"
SOON_MS = 30_000
LISTS = ("enqueued", "processing", "scheduled", "retries", "succeeded", "failed", "deleted")
PAGES = ("", *(f"jobs/{name}" for name in LISTS), "recurring", "servers", "audit", "queues/download/failed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A production house with ada, an admin with a key and a password, and bob, who is none."""
    with ExitStack() as stack:
        house = Production(
            tmp_path_factory.mktemp("house"),
            database_url=stack.enter_context(fresh_database()),
            broker_url=stack.enter_context(fresh_broker()),
            BROKER_MANAGEMENT_URL=management_url() or "",
            ENV="production", POLL_S="0.2", LEASE_S="2", RETRY_DELAYS_S="0.2", DASHBOARD_REFRESH_S="0.5",
            DOWNLOAD_SPACING_S="0", DOWNLOADS_PER_SOURCE="8", WHISPER_MODEL="packaged-tiny.en",
        )  # fmt: skip
        key = told(house, "keys", "create", "ada", "--role", "admin")
        told(house, "admins", "put", "ada", "--password", PASSWORD)
        house.client = Client(house.client.server, key)
        yield stack.enter_context(house)


@pytest.fixture
def site(browser: Browser, up: Production) -> Iterator[Watched]:
    """A page of the dashboard, signed in as ada; at the end of the test there was no trouble on it."""
    context = browser.new_context(base_url=up.client.server, viewport={"width": 1280, "height": 800})
    watched = Watched(context.new_page())
    sign_in(watched.page)
    yield watched
    context.close()
    assert watched.trouble == []


def told(house: Production, *words: str) -> str:
    """What a command on this machine's settings prints."""
    command = [sys.executable, "-m", "app.cli.main", *words]
    done = subprocess.run(
        command, env=house.environment, cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def sign_in(page: Page) -> None:
    page.goto("/dramatiq/")
    page.get_by_text("As an admin with a password").click()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("Dashboard"))


def failed_job(up: Production, folder: Path, name: str) -> str:
    """A job that failed because its file was not there."""
    with WebServer(folder) as web:
        job_id = up.client.submit(f"{web.url}/{name}").job_id
        assert up.client.wait(job_id, timeout_s=180).status == "failed"
    return job_id


def message_of(page: Page, job_id: str) -> None:
    """Open the failed message of the job by way of the stock list."""
    page.goto("/dramatiq/queues/download/failed")
    page.locator("td.table__subject a", has_text=job_id).click()


def test_strangers_are_led_to_sign_in_users_are_refused_and_admins_come_in(
    browser: Browser, up: Production
) -> None:
    key = told(up, "keys", "create", "bob")
    page = browser.new_context(base_url=up.client.server).new_page()
    for path in PAGES:
        page.goto(f"/dramatiq/{path}")
        expect(page).to_have_title("Sign in – youtube-rag")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("This is for admins")

    for path in PAGES:
        page.goto(f"/dramatiq/{path}")
        expect(page.get_by_role("main")).to_contain_text("This is for admins")


def test_a_failed_job_is_requeued_from_its_traceback_and_completes(
    site: Watched, up: Production, tmp_path: Path
) -> None:
    page = site.page
    with WebServer(tmp_path) as web:
        job_id = up.client.submit(f"{web.url}/late.flac").job_id
        up.client.wait(job_id, timeout_s=180)
        message_of(page, job_id)
        expect(page.locator("pre", has_text="Traceback (most recent call last)")).to_be_visible()
        expect(page.get_by_text(re.compile("running +.+:\\d+"))).to_be_visible()
        shutil.copy(FIXTURES / "speech" / "jfk.flac", tmp_path / "late.flac")
        page.get_by_role("button", name="Requeue").click()
        page.goto(f"/dramatiq/job/{job_id}")
        expect(page.locator(".facts .state").first).to_have_text(
            "completed", timeout=60_000
        )  # it moves by itself

    page.goto("/dramatiq/jobs/succeeded")
    expect(page.get_by_role("main")).to_contain_text(job_id)
    page.goto("/dramatiq/audit")
    expect(page.get_by_role("row").nth(1)).to_contain_text("requeue")
    expect(page.get_by_role("row").nth(1)).to_contain_text("ada")


def test_a_double_click_publishes_once(site: Watched, up: Production, tmp_path: Path) -> None:
    page = site.page
    job_id = failed_job(up, tmp_path, "twice.flac")
    message_of(page, job_id)
    form = page.locator("form[action$='requeue-message']")
    sent = form.evaluate(
        """async (form) => {
          const body = new URLSearchParams(new FormData(form));
          const send = () => fetch(form.action, { method: "POST", body, redirect: "manual" });
          return (await Promise.all([send(), send(), send()])).length;
        }"""
    )

    assert sent == 3
    ended = up.client.wait(job_id, timeout_s=180)
    assert ended.status == "failed"  # its server is gone: tried again, and no more than once
    page.goto(f"/dramatiq/job/{job_id}")
    expect(page.get_by_role("row", name=re.compile("retried"))).to_have_count(1)


def test_one_is_deleted_and_others_are_requeued_in_a_batch(
    site: Watched, up: Production, tmp_path: Path
) -> None:
    page = site.page
    ids = [failed_job(up, tmp_path, f"batch{number}.flac") for number in range(3)]
    page.add_init_script("window.confirm = () => true")
    site.page.goto("/dramatiq/jobs/failed?q=batch")
    page.locator(f"#delete-{ids[0]}").click()
    expect(page.locator("#said")).to_contain_text("1 done")
    expect(page.locator(f"#job-{ids[0]}")).to_have_count(0)
    page.goto("/dramatiq/jobs/deleted")
    expect(page.get_by_role("main")).to_contain_text(ids[0])

    page.goto("/dramatiq/jobs/failed?q=batch")
    page.get_by_label("all of this page").check()
    page.wait_for_timeout(1200)  # two refreshes leave the ticks alone
    expect(page.locator("input[name=job]:checked")).to_have_count(2)
    page.locator("#batch").get_by_role("button", name="Requeue").click()
    expect(page.locator("#said")).to_contain_text("2 done")


def test_markup_in_cookies_arguments_and_errors_stays_text(
    site: Watched, up: Production, tmp_path: Path
) -> None:
    page = site.page
    cookie = {"name": "__dd_csrf", "value": f'"><script>alert(1)</script>{EVIL}', "url": up.client.server}
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie is a dict
    job_id = failed_job(up, tmp_path, f"x.flac?{EVIL}")

    for path in (
        "jobs/failed?q=onerror",
        f"job/{job_id}?entry={EVIL}",
        "queues/download/failed",
        f"jobs/failed?q={EVIL}",
    ):
        page.goto(f"/dramatiq/{path}")
        assert page.locator("main img, main script").count() == 0
    message_of(page, job_id)
    assert page.locator("main img, main script").count() == 0


def test_no_page_of_another_origin_changes_anything(site: Watched, up: Production, tmp_path: Path) -> None:
    page = site.page
    job_id = failed_job(up, tmp_path, "mine.flac")
    attack = f"<form method=post action='{up.client.server}/dramatiq/job/{job_id}/requeue'></form>"
    (tmp_path / "attack.html").write_text(
        f"<!doctype html>{attack}<script>document.forms[0].submit()</script>"
    )
    with WebServer(tmp_path) as web:
        for host in ("127.0.0.1", "localhost"):  # the same site at another port, and another site
            page.goto(f"{web.url.replace('127.0.0.1', host)}/attack.html", wait_until="commit")
            page.wait_for_url("**/dramatiq/job/**")

    assert up.client.status(job_id).status == "failed"


def test_lists_are_paged_and_a_wrong_cursor_is_told(site: Watched, up: Production) -> None:
    page = site.page
    for number in range(55):
        up.client.submit(f"http://127.0.0.1:9/page{number}.flac", delay_s=3600)
    for path, line in (("jobs/scheduled", "td.list__what"), ("queues/download/delayed", "td.table__subject")):
        page.goto(f"/dramatiq/{path}")
        first = page.locator(line).all_inner_texts()
        page.get_by_role("link", name="Next page").click()
        page.wait_for_url("**cursor=**")
        second = page.locator(line).all_inner_texts()
        assert (len(first), len(second), len({*first, *second})) == (50, 5, 55)

    for path in ("queues/download/failed?cursor=x", "jobs/failed?cursor=x", "audit?cursor=x"):
        answer = page.goto(f"/dramatiq/{path}")
        assert answer is not None
        assert answer.status == 422
        expect(page.get_by_role("main")).to_contain_text("cursor")


def test_what_no_worker_can_read_is_shown_beside_what_failed(site: Watched, up: Production) -> None:
    page = site.page
    connection = pika.BlockingConnection(pika.URLParameters(up.settings["BROKER_URL"]))
    unknown = (
        '{"queue_name": "segment", "actor_name": "nobody", "args": [], "kwargs": {}, "options": {}, '
        '"message_id": "1", "message_timestamp": 1}'
    )
    for body in (f"no message {EVIL}", unknown):
        connection.channel().basic_publish("", "segment", body.encode())
    connection.close()

    page.goto("/dramatiq/")
    expect(page.get_by_role("main")).to_contain_text(
        "RabbitMQ set 2 messages of segment aside", timeout=SOON_MS
    )
    page.goto("/dramatiq/queues/segment/failed")
    expect(page.locator("pre", has_text=EVIL)).to_be_visible()
    expect(page.locator("pre", has_text="nobody")).to_be_visible()
    assert page.locator("main img").count() == 0


def test_a_killed_worker_is_seen_and_its_job_goes_on_elsewhere(
    site: Watched, up: Production, tmp_path: Path
) -> None:
    page = site.page
    with WebServer(FIXTURES) as web:
        job_id = up.client.submit(f"{web.url}/hang/x.flac").job_id
        page.goto(f"/dramatiq/job/{job_id}")
        row = page.locator("tr", has=page.get_by_role("link", name="download", exact=True)).first
        expect(row).to_contain_text(re.compile(r":\d+"), timeout=SOON_MS)
        first = re.search(r":(\d+)", row.inner_text())
        assert first
        os.kill(int(first[1]), signal.SIGKILL)

        expect(row.locator("td").nth(2)).to_have_text("2", timeout=SOON_MS)
        expect(row).not_to_contain_text(f":{first[1]}")
        up.client.cancel(job_id)


def test_a_list_that_moves_does_not_jump_and_leaves_what_is_open_open(
    site: Watched, up: Production, tmp_path: Path
) -> None:
    page = site.page
    job_id = failed_job(up, tmp_path, "still.flac")
    page.set_viewport_size({"width": 1280, "height": 300})
    page.goto(f"/dramatiq/job/{job_id}")
    page.get_by_text("Traceback", exact=True).click()
    page.evaluate("window.scrollTo(0, 400)")
    first = page.locator("#live h1").element_handle()
    assert first is not None
    give_up = time.monotonic() + 120
    while first.evaluate("(heading) => heading.isConnected"):  # until a refresh has replaced it
        assert time.monotonic() < give_up
        page.wait_for_timeout(100)

    assert page.evaluate("window.scrollY") == 400
    expect(page.locator("details[open] pre")).to_be_visible()


def test_no_page_is_too_wide_for_any_screen(site: Watched, up: Production, tmp_path: Path) -> None:
    page = site.page
    job_id = failed_job(up, tmp_path, f"{'long' * 60}.flac")
    message_of(page, job_id)
    message = page.url
    for width in (1280, 800, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for path in (*(f"/dramatiq/{path}" for path in PAGES), f"/dramatiq/job/{job_id}", message):
            page.goto(path)
            assert not site.is_too_wide, (path, width)
