"""The dashboard's lists of jobs: what they find, what is done to many at once, and what is noted of it."""

import threading
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.models.jobs import Job, JobStage
from app.models.operators import AuditEntry
from app.models.schedules import Schedule
from app.services import jobs, schedules, workers
from app.services.keys import LOCAL
from app.stages import NAMES
from tests.integration.conftest import StoppedClock
from tests.integration.test_dashboard import fail, read, send, submit
from tests.integration.work import complete, take

LISTS = ("enqueued", "processing", "scheduled", "retries", "succeeded", "failed", "deleted")
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def failing(house: Config) -> Config:
    """A house in which the first failure is the last."""
    return config.use(replace(house, retry_delays_s=()))


def states(ids: list[str]) -> list[str]:
    return [Job.get_by_id(job_id).state for job_id in ids]


def await_end_of_mass_action() -> None:
    for thread in threading.enumerate():
        if thread.name == "mass":
            thread.join(30)


def test_each_job_is_on_the_list_of_its_state_and_on_no_other(api: FlaskClient, failing: Config) -> None:
    ids = {name: submit(number) for number, name in enumerate(LISTS)}
    take(ids["processing"], "download")
    Job.update(state="scheduled").where(Job.id == ids["scheduled"]).execute()
    Job.update(state="retrying").where(Job.id == ids["retries"]).execute()
    complete(ids["succeeded"])
    fail(ids["failed"])
    jobs.cancel(ids["deleted"], None)

    found = {name: read(api, f"/dramatiq/jobs/{name}").text for name in LISTS}

    for name, page in found.items():
        assert [of for of, job_id in ids.items() if job_id in page] == [name]
        assert f"{name.capitalize()} <em>1</em>" in page


def test_a_list_is_searched_by_text_priority_code_and_owner(api: FlaskClient, failing: Config) -> None:
    first, second = submit(1), submit(2)
    fail(first)
    fail(second)
    Job.update(name=f"Process video: {EVIL}", owner="ada", error_code="video_private").where(
        Job.id == first
    ).execute()
    Job.update(priority=3).where(Job.id == second).execute()

    for search, wanted in (
        *(("q=ONERROR", first), ("owner=ada", first), ("error_code=video_private", first)),
        *(("priority=critical", second), ("q=00000000002", second), ("error_code=internal_error", second)),
    ):
        page = read(api, f"/dramatiq/jobs/failed?{search}").text
        assert (first in page, second in page) == (wanted == first, wanted == second), search
        assert EVIL not in page
    assert read(api, "/dramatiq/jobs/failed?priority=x").status_code == 422
    assert read(api, "/dramatiq/jobs/failed?cursor=x").status_code == 422
    assert read(api, "/dramatiq/jobs/nonsense").status_code == 404


def test_ticked_jobs_are_requeued_or_deleted_and_the_audit_log_says_so(
    api: FlaskClient, failing: Config
) -> None:
    ids = [submit(number) for number in range(3)]
    for job_id in ids:
        fail(job_id)

    answer = send(api, "/dramatiq/jobs/failed", action="requeue", job=ids[0])
    again = send(api, "/dramatiq/jobs/failed", action="requeue", job=ids[0])
    send(api, "/dramatiq/jobs/failed", one=f"delete:{ids[1]}")

    assert states(ids) == ["pending", "cancelled", "failed"]
    assert "requeue: 1 done" in read(api, answer.location).text
    assert "1 refused (conflict)" in read(api, again.location).text
    log = read(api, "/dramatiq/audit").text
    assert log.count("local") >= 3
    assert "0 done, 1 refused (conflict)" in log
    assert ids[1] in log


def test_all_that_a_search_finds_is_requeued_apart_from_the_request(
    api: FlaskClient, failing: Config
) -> None:
    ids = [submit(number) for number in range(5)]
    for job_id in ids:
        fail(job_id)
    Job.update(owner="ada").where(Job.id == ids[0]).execute()

    answer = send(api, "/dramatiq/jobs/failed", action="requeue", scope="all", owner="local")
    await_end_of_mass_action()

    assert answer.location == "/dramatiq/audit"
    assert states(ids) == ["failed", *["pending"] * 4]
    entry = AuditEntry.get()
    assert (entry.who, entry.action, entry.outcome) == ("local", "requeue", "4 done")
    assert "owner local" in entry.target


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/dramatiq/jobs/failed", {"action": "explode", "job": "x"}),
        ("/dramatiq/jobs/failed", {"action": "requeue"}),
        ("/dramatiq/jobs/succeeded", {"action": "delete", "job": "x"}),
        ("/dramatiq/jobs/nonsense", {"action": "delete", "job": "x"}),
        ("/dramatiq/job/none/requeue", {}),
        ("/dramatiq/job/none/requeue", {"from_stage": "explode"}),
        ("/dramatiq/job/none/delete", {}),
        ("/dramatiq/recurring/none/run", {}),
        ("/dramatiq/recurring/none/explode", {}),
    ],
)
def test_what_cannot_be_done_is_told(api: FlaskClient, path: str, fields: dict[str, str]) -> None:
    assert send(api, path, **fields).status_code in (404, 422)


def test_all_that_is_known_of_a_job_is_on_one_page(api: FlaskClient, failing: Config) -> None:
    job_id = submit()
    message_id = fail(job_id)
    page = read(api, f"/dramatiq/job/{job_id}").text

    for part in (
        *NAMES,
        message_id,
        "Traceback",
        "internal_error",
        f"/api/jobs/{job_id}/status",
        f"/jobs/{job_id}",
    ):
        assert part in page
    assert "<script>alert" not in page
    send(api, f"/dramatiq/job/{job_id}/requeue", from_stage="download")
    send(api, f"/dramatiq/job/{job_id}/requeue")
    assert Job.get_by_id(job_id).state == "pending"
    send(api, f"/dramatiq/job/{job_id}/delete")
    assert Job.get_by_id(job_id).state == "cancelled"
    outcomes = [(entry.action, entry.outcome.split(":")[0]) for entry in AuditEntry.select()]
    assert outcomes == [("requeue", "done"), ("requeue", "refused"), ("delete", "done")]
    assert read(api, "/dramatiq/job/none").status_code == 404


def test_a_job_from_before_a_stage_was_added_is_shown_with_the_stages_that_it_had(
    api: FlaskClient, failing: Config
) -> None:
    job_id = submit(1)
    complete(job_id)
    JobStage.delete().where((JobStage.job == job_id) & (JobStage.name == "embed")).execute()

    page = read(api, f"/dramatiq/job/{job_id}")

    assert page.status_code == 200
    assert [name for name in NAMES if f"<title>{name}: " not in page.text] == ["embed"]
    assert read(api, f"/api/jobs/{job_id}/status").status_code == 200


def test_a_job_of_many_chunks_shows_them_and_one_that_follows_shows_whom(
    api: FlaskClient, house: Config
) -> None:
    job_id = submit()
    complete(job_id)

    page = read(api, f"/dramatiq/job/{job_id}").text

    assert "1 of 1 done" in page
    assert "At the zoo" in page
    assert "transcribe_chunk" in page


def test_a_schedule_is_run_now_and_enabled_and_disabled(api: FlaskClient) -> None:
    payload = {"url": "https://www.youtube.com/watch?v=jNQXAC9IVRw"}
    schedule, _ = schedules.put(LOCAL, name="daily", cron="0 6 * * *", action="ingest", payload=payload)

    def press(action: str) -> Schedule:
        assert send(api, f"/dramatiq/recurring/{schedule.id}/{action}").status_code == 303
        return schedules.get(schedule.id, None)

    assert "daily" in read(api, "/dramatiq/recurring").text
    assert press("run").last_job_id == Job.get().id
    assert not press("disable").enabled
    assert press("enable").enabled
    assert [entry.action for entry in AuditEntry.select()] == ["run", "disable", "enable"]


def test_servers_show_their_load_and_which_fell_silent(api: FlaskClient, time: StoppedClock) -> None:
    def beat(name: str, busy: int) -> None:
        queues = ["download", "notify"]
        workers.beat(name, server="one", queues=queues, threads=2, busy=busy, started_at=time.now())

    beat("one:1", 1)
    time.pass_s(60)
    beat("one:2", 0)

    page = read(api, "/dramatiq/servers").text

    assert page.index("silent") < page.index("one:2") < page.index("alive")
    assert "1 of 2" in page
    assert "No dispatcher has ever" in page
    assert "one:2" in read(api, "/dramatiq/").text


def test_nothing_is_changed_where_the_dashboard_only_shows(api: FlaskClient, failing: Config) -> None:
    job_id = submit()
    fail(job_id)
    schedule, _ = schedules.put(
        LOCAL, name="x", cron="0 6 * * *", action="housekeeping", payload={"name": "retention"}
    )
    config.use(replace(failing, read_only=True))

    pages = [read(api, f"/dramatiq/{path}").text for path in ("jobs/failed", f"job/{job_id}", "recurring")]
    answers = [
        send(api, f"/dramatiq/{path}", action="delete", job=job_id)
        for path in ("jobs/failed", f"job/{job_id}/delete", f"recurring/{schedule.id}/run")
    ]

    assert not [page for page in pages if 'method="post"' in page.lower()]
    assert {answer.status_code for answer in answers} == {403}
    assert states([job_id]) == ["failed"]


def test_no_page_tells_an_account_or_an_address_of_a_server(api: FlaskClient, house: Config) -> None:
    secret = "amqp://operator:hunter2@127.0.0.1:9/house"
    config.use(replace(house, broker_url=secret))

    for path in ("", "queues/download", "jobs/failed", "servers", "audit"):
        page = read(api, f"/dramatiq/{path}").text
        assert "hunter2" not in page
        assert "operator:" not in page
        assert house.database_url.partition("@")[2] not in page or not house.database_url
    assert "RabbitMQ does not answer" in page
