"""Taking videos in over HTTP: once each, refused with a reason, or queued."""

from io import BytesIO

import pytest
from flask.testing import FlaskClient

from app.models.jobs import Job, JobStage
from app.models.messages import Outbox
from app.services import jobs
from tests.integration.conftest import StoppedClock

URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


def process(api: FlaskClient, headers: dict[str, str] | None = None, **body: object) -> tuple[int, dict]:  # type: ignore[type-arg]  # JSON
    answer = api.post("/api/videos/process", json={"url": URL, **body}, headers=headers)
    return answer.status_code, answer.get_json()


def upload(api: FlaskClient, content: bytes = b"sound", **fields: object) -> tuple[int, dict]:  # type: ignore[type-arg]  # JSON
    answer = api.post("/api/videos/upload", data={"file": (BytesIO(content), "talk.mp3"), **fields})
    return answer.status_code, answer.get_json()


def test_a_url_is_queued_and_its_status_can_be_read_where_the_answer_points(api: FlaskClient) -> None:
    answer = api.post("/api/videos/process", json={"url": "https://youtu.be/jNQXAC9IVRw?t=5"})

    body = answer.get_json()
    status = api.get(answer.headers["Location"]).get_json()
    assert answer.status_code == 202
    assert body["status"] == "Queued"
    assert status["job_id"] == body["job_id"]
    assert (status["status"], status["url"], status["progress"]) == ("pending", URL, 0.0)
    assert [stage["name"] for stage in status["stages"]] == [
        "download", "extract_audio", "transcribe", "segment", "embed", "index",
    ]  # fmt: skip
    assert status["queue_position"] == 1


def test_the_message_that_was_answered_is_the_one_that_will_be_published(api: FlaskClient) -> None:
    _, body = process(api)

    assert Outbox.get(subject=body["job_id"]).message_id == body["message_id"]


def test_the_same_video_again_is_the_same_job(api: FlaskClient) -> None:
    _, first = process(api)

    code, second = process(api)

    assert code == 200
    assert second["deduplicated"] is True
    assert second["job_id"] == first["job_id"]
    assert Job.select().count() == 1


def test_asking_again_more_urgently_raises_the_job(api: FlaskClient) -> None:
    _, first = process(api, priority="low")

    process(api, priority="critical")
    process(api, priority="low")

    assert Job.get_by_id(first["job_id"]).priority == 3
    assert Outbox.get(subject=first["job_id"]).priority == 3


def test_force_ingests_again(api: FlaskClient) -> None:
    _, first = process(api)

    code, second = process(api, force=True)

    assert code == 202
    assert second["job_id"] != first["job_id"]


def test_other_wishes_are_another_job(api: FlaskClient) -> None:
    _, first = process(api)

    assert process(api, language="de")[1]["job_id"] != first["job_id"]


def test_after_a_cancel_the_video_can_be_sent_again(api: FlaskClient) -> None:
    _, first = process(api)
    jobs.cancel(first["job_id"], None)

    assert process(api)[0] == 202


def test_an_idempotency_key_makes_a_repetition_harmless_even_with_force(api: FlaskClient) -> None:
    key = {"Idempotency-Key": "one"}

    _, first = process(api, key, force=True)
    code, second = process(api, key, force=True)

    assert (code, second.get("job_id")) == (200, first["job_id"])


def test_an_idempotency_key_of_another_request_is_refused(api: FlaskClient) -> None:
    process(api, {"Idempotency-Key": "one"})

    code, problem = process(api, {"Idempotency-Key": "one"}, priority="high")

    assert (code, problem["code"]) == (422, "idempotency_key_reused")


def test_a_delayed_job_is_scheduled_and_waits_in_the_outbox(api: FlaskClient, time: StoppedClock) -> None:
    _, body = process(api, delay_s=3600)

    status = api.get(f"/api/jobs/{body['job_id']}/status").get_json()
    assert (status["status"], status["message_state"]) == ("scheduled", "delayed")
    assert (Outbox.get().available_at - time.now()).total_seconds() == 3600


def test_a_moment_without_a_zone_is_refused(api: FlaskClient) -> None:
    code, problem = process(api, run_at="2026-12-24T18:00:00")

    assert code == 422
    assert "run_at" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({"url": "not a url"}, "invalid_url", "not a url"),
        ({"url": "ftp://www.youtube.com/x"}, "invalid_url", "ftp"),
        ({"url": "https://www.youtube.com/watch?v=short"}, "invalid_url", "11"),
        ({"url": "https://example.com/talk.mp4"}, "source_not_allowed", "example.com"),
        ({"url": "file:///etc/passwd"}, "invalid_url", "file"),
        ({"url": URL, "colour": "red"}, "invalid_input", "colour"),
        ({"url": URL, "priority": "urgent"}, "invalid_input", "priority"),
        ({"url": URL, "mode": "magic"}, "invalid_input", "mode"),
        ({"url": URL, "language": "english"}, "invalid_input", "language"),
        ({"url": URL, "delay_s": -1}, "invalid_input", "delay_s"),
        ({"url": URL, "delay_s": 5, "run_at": "2026-12-24T18:00:00Z"}, "invalid_input", "run_at"),
        ({}, "invalid_input", "url"),
        ([], "invalid_input", "body"),
    ],
)
def test_a_bad_request_is_refused_with_a_code_a_sentence_and_a_hint(
    api: FlaskClient, body: object, code: str, named: str
) -> None:
    answer = api.post("/api/videos/process", json=body)

    problem = answer.get_json()
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert problem["code"] == code
    assert named in problem["detail"]
    assert problem["hint"]
    assert Job.select().count() == 0


def test_an_upload_starts_behind_the_download_and_its_file_is_kept(api: FlaskClient) -> None:
    code, body = upload(api, title="My talk")

    job = Job.get_by_id(body["job_id"])
    stages = {row.name: row.state for row in JobStage.select()}
    assert code == 202
    assert stages["download"] == "skipped"
    assert Outbox.get().actor == "extract_audio"
    assert job.name == "Process video: My talk"
    assert job.video is not None
    assert job.video.title == "My talk"


def test_the_same_file_again_is_the_same_job_and_is_stored_once(
    api: FlaskClient, settings: object, tmp_path: object
) -> None:
    _, first = upload(api)

    code, second = upload(api)

    assert (code, second["job_id"]) == (200, first["job_id"])


def test_a_file_known_by_another_title_keeps_it_and_says_so_unless_forced(api: FlaskClient) -> None:
    upload(api, title="My talk")

    _, same = upload(api, title="My talk")
    _, kept = upload(api, title="A lecture")
    _, anew = upload(api, title="A lecture", force="true")

    told = "Its title stays 'My talk'; with force it is processed anew under yours."
    job = Job.get_by_id(anew["job_id"])
    assert "title" not in same["message"]
    assert told in kept["message"]
    assert "title" not in anew["message"]
    assert job.video is not None
    assert job.video.title == "A lecture"


@pytest.mark.parametrize(
    ("content", "status", "code"), [(b"", 422, "empty_file"), (b"x" * 2_000_000, 413, "payload_too_large")]
)
def test_a_file_that_is_empty_or_too_large_is_refused_and_nothing_is_left(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, status: int, code: str
) -> None:
    from app import config
    from app.config import Config
    from app.web.application import create_app

    folder = tmp_path_factory.mktemp("small")
    api = create_app(config.use(Config(data_dir=folder, max_download_bytes=1000))).test_client()

    answer = upload(api, content)

    assert (answer[0], answer[1]["code"]) == (status, code)
    assert Job.select().count() == 0
    assert not [path for name in ("files", "tmp") for path in (folder / name).rglob("*")]
