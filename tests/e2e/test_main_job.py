"""From a video's URL to a search hit at its second, through the doors that users have."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.client import Client, RequestRefused
from app.schemas import JobStatusAnswer
from app.stages import NAMES
from tests.conftest import FIXTURES
from tests.up import Up
from tests.webserver import WebServer

TALK = json.loads((FIXTURES / "talk" / "talk.json").read_text())


@pytest.fixture(scope="module")
def client(up: Up) -> Client:
    return up.client


@pytest.fixture(scope="module")
def talk(client: Client) -> Iterator[JobStatusAnswer]:
    """The ingested talk."""
    with WebServer(FIXTURES) as web:
        accepted = client.submit(f"{web.url}/talk/index.html", mode="asr")
        yield client.wait(accepted.job_id, timeout_s=240)


def test_the_job_completes_with_every_stage_timed(talk: JobStatusAnswer) -> None:
    assert (talk.status, talk.progress, talk.error, talk.warning) == ("completed", 100.0, None, None)
    assert talk.message_state == "done"
    assert talk.name == f"Process video: {TALK['title']}"
    assert [stage.name for stage in talk.stages] == list(NAMES)
    assert {stage.attempt for stage in talk.stages} == {1}
    assert all(s.started_at and s.finished_at and s.started_at <= s.finished_at for s in talk.stages)


def test_the_video_is_listed_with_what_its_page_says(client: Client, talk: JobStatusAnswer) -> None:
    video = next(video for video in client.videos().data if video.id == talk.video_id)

    assert video.title == TALK["title"]
    assert video.language == "en"
    assert video.duration_s == pytest.approx(TALK["duration_s"], abs=0.1)
    assert video.transcript_source == "whisper-tiny.en"


@pytest.mark.parametrize("search", TALK["searches"], ids=lambda search: search["kind"])
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_a_search_finds_the_sentence_at_its_second(
    client: Client, talk: JobStatusAnswer, search: dict[str, object], mode: str
) -> None:
    if search["kind"] == "semantic" and mode == "keyword":
        pytest.skip("shares no word with its sentence, so words alone cannot find it")

    hit = client.search(str(search["query"]), mode=mode, video_id=talk.video_id).hits[0]

    spoken_at = TALK["sentences"][search["sentence"]]["start_s"]
    assert hit.start_s == pytest.approx(spoken_at, abs=2)
    page, _, second = hit.url.partition("#t=")
    assert page.endswith("/talk/index.html")
    assert float(second) == pytest.approx(hit.start_s, abs=0.1)
    assert hit.passage.start_s <= hit.start_s < hit.end_s <= hit.passage.end_s
    assert hit.text in hit.passage.text
    assert hit.video.title == TALK["title"]


def test_a_transcript_can_be_had_in_four_forms(client: Client, talk: JobStatusAnswer) -> None:
    video = talk.video_id or ""

    sentences = client.transcript(video).sentences
    srt, vtt, txt = (client.export(video, form) for form in ("srt", "vtt", "txt"))

    assert len(sentences) == pytest.approx(len(TALK["sentences"]), abs=3)
    assert [s.start_s for s in sentences] == sorted(s.start_s for s in sentences)
    assert srt.count(" --> ") == vtt.count(" --> ") == len(sentences)
    assert vtt.startswith("WEBVTT\n")
    assert txt.splitlines() == [s.text for s in sentences]


def test_an_upload_goes_the_same_way(client: Client) -> None:
    accepted = client.upload(FIXTURES / "speech" / "jfk.flac", title="Inaugural address")

    ended = client.wait(accepted.job_id, timeout_s=180)
    hit = client.search("what can you do for your country?", video_id=ended.video_id).hits[0]

    assert ended.status == "completed"
    assert "country" in hit.text
    assert re.search(r"/videos/\w+\?t=\d+#at$", hit.url)


def test_a_deleted_video_is_gone_and_can_be_sent_again(up: Up, client: Client, web: WebServer) -> None:
    url = f"{web.url}/speech/jfk.flac"
    video = client.wait(client.submit(url).job_id, timeout_s=180).video_id or ""

    client.delete_video(video)

    with pytest.raises(RequestRefused) as gone:
        client.transcript(video)
    assert gone.value.status == 404
    found = client.search("your country", mode="keyword", limit=50).hits
    assert video not in {hit.video.id for hit in found}
    again = client.wait(client.submit(url).job_id, timeout_s=180)
    assert again.status == "completed"


def test_forcing_again_replaces_the_transcript(client: Client, web: WebServer) -> None:
    url = f"{web.url}/speech/jfk.flac"
    first = client.wait(client.submit(url, force=True).job_id, timeout_s=180)

    second = client.wait(client.submit(url, force=True).job_id, timeout_s=180)

    assert second.job_id != first.job_id
    assert second.video_id == first.video_id
    found = client.search("ask not what your country", video_id=first.video_id, limit=50).hits
    assert len({hit.segment_id for hit in found}) == len(found)
    assert all(hit.segment_id.startswith(second.job_id) for hit in found)


def test_a_delayed_job_starts_when_its_time_has_come_and_not_before(client: Client, web: WebServer) -> None:
    asked = datetime.now(UTC)
    accepted = client.submit(f"{web.url}/speech/jfk.flac", force=True, delay_s=2)

    waiting = client.status(accepted.job_id)
    ended = client.wait(accepted.job_id, timeout_s=180)

    assert waiting.status == "scheduled"
    assert ended.started_at is not None
    assert ended.started_at >= asked + timedelta(seconds=2)


def test_the_documentation_describes_what_the_server_answers(client: Client) -> None:
    document = httpx.get(f"{client.server}/api/openapi.json").json()
    page = httpx.get(f"{client.server}/api/docs")

    assert document["openapi"].startswith("3.")
    assert {"/api/videos/process", "/api/videos/upload", "/api/jobs/{job_id}/status", "/api/search"} <= set(
        document["paths"]
    )
    assert page.status_code == 200
    assert "swagger" in page.text
