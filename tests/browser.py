"""The system's Chromium without a window, kept off the network."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

FLAGS = (
    *("--no-sandbox", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"),
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, for as long as the block runs; without one the test is skipped, but not in CI."""
    path = shutil.which("chromium")
    if path is None:
        why = "There is no chromium; deploy/chromium.sh installs it."
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, and the trouble seen on it: dialogs, errors of scripts, refused or foreign loads."""

    def __init__(self, page: Page) -> None:
        self.page, self.trouble = page, list[str]()
        page.on("dialog", self._dismiss)
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("console", lambda told: self._note(told.text) if told.type == "error" else None)

    def _dismiss(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, text: str) -> None:
        if "Failed to load resource" not in text:  # the server's own 404 and 422 are answers
            self.trouble.append(f"console: {text}")

    @property
    def is_too_wide(self) -> bool:
        """Whether one has to scroll sideways."""
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return wide
