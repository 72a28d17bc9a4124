"""Things that users do, so that there is something to see: failures in heaps, and real work of every kind."""

import secrets

import httpx

from app.client import RequestRefused
from app.schemas import JobStatusAnswer
from tests.up import Up
from tests.webserver import WebServer

NO_MEDIA = b"neither sound nor video"
SPEECH = "/speech/jfk.flac"


def pile_up(up: Up, count: int) -> None:
    """Upload so many files that are no media: jobs that fail at once, as soon as somebody works on them."""
    with httpx.Client(base_url=up.client.server, timeout=30) as http:
        for number in range(count):
            file = (f"{number}.mp4", NO_MEDIA + secrets.token_bytes(8))
            http.post("/api/videos/upload", files={"file": file}).raise_for_status()


def acknowledge_failures(up: Up) -> int:
    """Take note of all failures, and return how many there were."""
    answer = httpx.post(
        f"{up.client.server}/api/jobs/bulk", json={"action": "acknowledge", "filter": {}}, timeout=60
    )
    return int(answer.raise_for_status().json()["done"])


def work(up: Up, web: WebServer, number: int) -> JobStatusAnswer:
    """Ingest eleven seconds of speech by the real stages, search it, and ask for what is not there."""
    url = f"{web.url}{SPEECH}?{number}"
    accepted = up.client.submit(url, mode="asr", priority=("low", "default", "high", "critical")[number % 4])
    up.client.submit(url, mode="asr")  # once more: a duplicate
    ended = up.client.wait(accepted.job_id, every_s=0.2, timeout_s=240)
    up.client.search("your country", mode="keyword")
    for path in ("/api/jobs/none/status", "/nothing/here"):
        httpx.get(f"{up.client.server}{path}")
    return ended


def add_webhook(up: Up, url: str) -> None:
    """Have the ends of all jobs from now on told there."""
    wish = {"url": url, "events": ["completed", "failed", "cancelled"]}
    httpx.post(f"{up.client.server}/api/webhooks", json=wish).raise_for_status()


def fail_for_good(up: Up, web: WebServer) -> JobStatusAnswer:
    """A source that answers with errors, until the retries are spent."""
    job_id = up.client.submit(f"{web.url}/status/500?{secrets.token_hex(4)}").job_id
    return up.client.wait(job_id, every_s=0.2, timeout_s=240)


def cancel_one(up: Up, web: WebServer) -> None:
    """A download that hangs until its job is cancelled."""
    job_id = up.client.submit(f"{web.url}/hang/x.mp4").job_id
    try:
        up.client.cancel(job_id)
    except RequestRefused:
        return
