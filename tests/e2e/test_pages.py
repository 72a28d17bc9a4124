"""The pages in a real browser: submit, watch, read, seek and search; on a phone, in the dark, attacked."""

import html
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Watched, chromium
from tests.conftest import FIXTURES
from tests.up import ROOT, Up
from tests.webserver import WebServer

pytestmark = pytest.mark.parametrize("up", ["embedded"], indirect=True)  # the pages see rows, not the broker
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> 'quoted' \"twice\""
SHORT_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def site(browser: Browser, up: Up) -> Iterator[Watched]:
    """A page of the program; at the end of the test there was no trouble on it."""
    context = browser.new_context(base_url=up.client.server, viewport={"width": 1200, "height": 800})
    watched = Watched(context.new_page())
    yield watched
    context.close()
    assert watched.trouble == []


def submit(page: Page, url: str) -> None:
    page.goto("/")
    page.get_by_label("Address").fill(url)
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")


def await_player(page: Page, holds: str) -> None:
    """Return once this holds of the video; the page's policy forbids wait_for_function to ask twice."""
    give_up = time.monotonic() + SHORT_MS / 1000
    while not page.evaluate(f"() => {{ const video = document.querySelector('video'); return {holds}; }}"):
        assert time.monotonic() < give_up, holds
        page.wait_for_timeout(50)


def test_a_video_goes_in_is_watched_read_from_a_sentence_on_and_found_again(
    site: Watched, web: WebServer, up: Up
) -> None:
    page = site.page
    submit(page, f"{web.url}/speech/jfk.flac")
    expect(page.locator(".stages li")).to_have_count(6)
    expect(page.get_by_role("status")).to_have_text("completed", timeout=SHORT_MS)  # it moves by itself
    page.get_by_role("link", name="Read the transcript").click()

    sentence = page.locator(".transcript a").last
    start_s = float(sentence.get_attribute("data-start") or 0)
    await_player(page, "video.readyState >= 1")
    page.evaluate("document.querySelector('video').currentTime = 9")
    await_player(page, "video.currentTime >= 9")
    sentence.focus()
    page.keyboard.press("Enter")
    await_player(page, f"{start_s} <= video.currentTime && video.currentTime < 8 && !video.paused")
    expect(page.locator(".transcript li").last).to_have_class("playing")

    page.get_by_role("searchbox").fill("what can you do for your country")
    page.keyboard.press("Enter")
    expect(page.locator(".hit mark").first).to_have_text("country")
    page.locator(".hit").first.click()
    expect(page.locator("#at")).to_be_in_viewport()
    expect(page.locator("#at mark").first).to_be_visible()


def test_a_failure_is_told_with_its_cause_and_can_be_tried_again(
    site: Watched, tmp_path: Path, up: Up
) -> None:
    page = site.page
    with WebServer(tmp_path) as web:
        submit(page, f"{web.url}/late.flac")
        expect(page.get_by_role("status")).to_have_text("failed", timeout=SHORT_MS)
        expect(page.locator(".problem")).to_contain_text("video_unavailable")
        shutil.copy(FIXTURES / "speech" / "jfk.flac", tmp_path / "late.flac")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("status")).to_have_text("completed", timeout=SHORT_MS)


def test_a_file_goes_in_and_its_video_is_forgotten(site: Watched, up: Up) -> None:
    page = site.page
    page.goto("/")
    page.get_by_label("File", exact=True).set_input_files(FIXTURES / "speech" / "jfk.flac")
    page.get_by_text("Options").click()
    page.get_by_label("Title of a file").fill("To be forgotten")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_have_text("completed", timeout=SHORT_MS)
    page.get_by_role("link", name="Read the transcript").click()
    page.get_by_text("or delete").click()
    page.get_by_role("button", name="Delete this video").click()

    expect(page).to_have_title("Videos – youtube-rag")
    expect(page.get_by_role("link", name="To be forgotten", exact=True)).to_have_count(0)


def test_markup_in_titles_and_transcripts_does_nothing_on_any_page_of_any_size(
    site: Watched, tmp_path: Path, up: Up
) -> None:
    talk = tmp_path / "talk"
    shutil.copytree(FIXTURES / "talk", talk)
    hostile = html.escape(HOSTILE)
    page_of = (talk / "index.html").read_text()
    title = page_of[page_of.index("<title>") + 7 : page_of.index("</title>")]
    (talk / "index.html").write_text(page_of.replace(title, hostile))
    (talk / "talk.en.vtt").write_text(f"WEBVTT\n\n00:00.000 --> 00:05.000\nMarkup says {hostile}.\n")
    with WebServer(tmp_path) as web:
        job = up.client.wait(up.client.submit(f"{web.url}/talk/index.html").job_id, timeout_s=180)
    page = site.page

    for size, scheme in ((1200, "light"), (360, "dark")):
        page.set_viewport_size({"width": size, "height": 700})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for path in (
            *("/", "/videos", f"/jobs/{job.job_id}", f"/videos/{job.video_id}?t=1&q=markup%20onerror"),
            f"/search?q=markup%20{quote(HOSTILE)}",
        ):
            page.goto(path)
            assert not site.is_too_wide, (path, size)
            assert page.locator("main script, main img").count() == 0
            expect(page.get_by_role("main")).to_contain_text("onerror")


def test_any_number_of_tabs_in_the_background_leave_the_browser_its_connections(site: Watched) -> None:
    context = site.page.context
    for _ in range(7):  # a browser has six for each host
        tab = context.new_page()
        tab.goto("/", wait_until="domcontentloaded")
        tab.evaluate(
            """() => { Object.defineProperty(document, "hidden", { value: true });
                       document.dispatchEvent(new Event("visibilitychange")); }"""
        )

    site.page.goto("/videos", timeout=10_000)
    expect(site.page).to_have_title("Videos – youtube-rag")


def test_the_keyboard_reaches_everything_from_the_first_key_on(site: Watched, up: Up) -> None:
    page = site.page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.innerText"))

    assert {"Jobs", "Videos", "Search", "url", "file", "Add"} <= set(reached)


def test_a_server_that_asks_for_keys_lets_a_browser_in_with_one(
    browser: Browser, up: Up, tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "app.cli.main", "keys", "create", "ada"]
    where = up.environment | {"YTRAG_DATA_DIR": str(tmp_path)}
    key = subprocess.run(
        words, env=where, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    with Up(tmp_path, "serve", ENV="production") as closed:
        page = browser.new_context(base_url=closed.client.server).new_page()
        page.goto("/videos")
        page.get_by_label("API key").fill(key)
        page.keyboard.press("Enter")

        expect(page).to_have_title("Videos – youtube-rag")
        expect(page.get_by_text("No video is ready yet")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.goto("/")
        expect(page).to_have_title("Sign in – youtube-rag")
