"""Reading and cancelling jobs over HTTP."""

import pytest
from flask.testing import FlaskClient

from app.models.jobs import Job, JobStage

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


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "status=done", "cursor=x", "page=2"])
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
