"""Reading and cancelling jobs over HTTP."""

import pytest
from flask.testing import FlaskClient

from app import clock
from app.models.jobs import Job, JobStage
from app.models.videos import Video
from app.services import census, workers
from tests.integration.conftest import StoppedClock

URL = "https://www.youtube.com/watch?v={:011d}"


def submit(api: FlaskClient, count: int = 1, **body: object) -> list[str]:
    answers = [
        api.post("/api/videos/process", json={"url": URL.format(number), **body}) for number in range(count)
    ]
    return [answer.get_json()["job_id"] for answer in answers]


def test_jobs_are_listed_newest_first_in_pages_without_gaps(api: FlaskClient) -> None:
    made = submit(api, 5)

    first = api.get("/api/jobs?limit=3").get_json()
    second = api.get(f"/api/jobs?limit=3&cursor={first['next_cursor']}").get_json()

    seen = [job["job_id"] for job in first["data"] + second["data"]]
    assert seen == sorted(made, reverse=True)
    assert second["next_cursor"] is None


def test_jobs_can_be_filtered_by_their_state(api: FlaskClient) -> None:
    first, _second = submit(api, 2)
    api.delete(f"/api/jobs/{first}")

    listed = api.get("/api/jobs?status=cancelled").get_json()["data"]
    active = api.get("/api/jobs/active").get_json()["data"]

    assert [job["job_id"] for job in listed] == [first]
    assert first not in [job["job_id"] for job in active]
    assert {"job_id", "job_type", "status", "progress", "started_at", "user_id", "video_title"} <= set(
        active[0]
    )


def test_jobs_can_be_filtered_by_what_they_are_about(api: FlaskClient) -> None:
    plain, urgent, failed = submit(api, 2) + submit(api, 1, priority="high", language="en")
    video = Video.create(
        id="V" * 26, extractor="youtube", external_id="x", title="T", webpage_url="x", created_at=clock.now()
    )
    Job.update(name="Process video: 100% Élan", video=video.id).where(Job.id == plain).execute()
    Job.update(error_code="no_audio").where(Job.id == failed).execute()

    def found(query: str) -> list[str]:
        return [job["job_id"] for job in api.get(f"/api/jobs?{query}").get_json()["data"]]

    assert found("priority=high") == [failed]
    assert found("error_code=no_audio") == [failed]
    assert found(f"video_id={video.id}") == [plain]
    assert found("q=100%25 Éla") == found("q=pROCESS vIDEO: 1") == [plain]
    assert found("q=0%25 e") == found("q=nothing") == []
    assert found("q=V%3D00000000001") == [urgent]
    assert found("priority=high&q=nothing") == []


def test_statistics_count_jobs_as_the_dashboard_names_them(api: FlaskClient, time: StoppedClock) -> None:
    states = ["pending", "running", "retrying", "completed", "failed", "cancelled", "cancelled"]
    for job_id, state in zip(submit(api, len(states)), states, strict=True):
        Job.update(state=state).where(Job.id == job_id).execute()
    submit(api, 1, delay_s=60, force=True)
    workers.beat("a:1", server="a", queues=["embed"], threads=1, busy=0, started_at=time.now())
    workers.beat("a:2", server="a", queues=["index"], threads=1, busy=0, started_at=time.now())

    daily = {"name": "daily", "cron": "0 3 * * *", "action": "ingest", "payload": {"url": URL.format(0)}}
    assert api.put("/api/schedules", json=daily).status_code == 201

    numbers = api.get("/api/jobs/stats").get_json()

    assert numbers == {
        "enqueued": 1, "processing": 1, "succeeded": 1, "failed": 1, "scheduled": 2, "deleted": 2,
        "servers": 1, "recurring": 1,
    }  # fmt: skip


def test_statistics_of_a_user_are_of_their_own_jobs(api: FlaskClient) -> None:
    submit(api, 2)
    (theirs,) = submit(api, 1, language="en")
    Job.update(owner="bob").where(Job.id == theirs).execute()

    assert (census.stats("bob").enqueued, census.stats("bob").recurring) == (1, 0)
    assert census.stats(None).enqueued == 3


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "status=done",
        "cursor=x",
        "page=2",
        "priority=urgent",
        "q=" + "x" * 501,
        "error_code=" + "x" * 65,
    ],
)
def test_a_bad_query_is_refused(api: FlaskClient, query: str) -> None:
    answer = api.get(f"/api/jobs?{query}")

    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.get_json()["detail"]


def test_queue_positions_follow_priority_then_age(api: FlaskClient) -> None:
    old, new = submit(api, 2)
    (urgent,) = submit(api, 1, priority="critical", language="en")

    places = [api.get(f"/api/jobs/{job}/status").get_json()["queue_position"] for job in (urgent, old, new)]

    assert places == [1, 2, 3]


@pytest.mark.parametrize("path", ["/api/jobs/{}", "/api/videos/jobs/{}"])
def test_a_job_can_be_cancelled_twice(api: FlaskClient, path: str) -> None:
    (job,) = submit(api)

    codes = [api.delete(path.format(job)).status_code for _ in range(2)]

    assert codes == [204, 204]
    assert api.get(f"/api/jobs/{job}/status").get_json()["status"] == "cancelled"
    assert {stage.state for stage in JobStage.select()} == {"skipped"}


def test_a_job_that_has_ended_cannot_be_cancelled(api: FlaskClient) -> None:
    (job,) = submit(api)
    Job.update(state="completed").execute()

    answer = api.delete(f"/api/jobs/{job}")

    assert (answer.status_code, answer.get_json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/jobs/01JXAMPLE0000000000000000A/status"),
        ("DELETE", "/api/jobs/01JXAMPLE0000000000000000A"),
        ("GET", "/api/videos/01JXAMPLE0000000000000000A"),
        ("DELETE", "/api/videos/01JXAMPLE0000000000000000A"),
        ("GET", "/api/videos/01JXAMPLE0000000000000000A/transcript"),
        ("GET", "/api/nothing"),
    ],
)
def test_what_is_not_there_is_a_404_with_a_code(api: FlaskClient, method: str, path: str) -> None:
    answer = api.open(path, method=method)

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
