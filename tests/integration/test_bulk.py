"""Many jobs cancelled or retried at once."""

import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.models.jobs import Job, JobEvent
from app.services import bulk, intake, keys
from app.services.intake import Request
from app.services.selection import Selection
from app.web.application import create_app
from tests.integration import work

URL = "https://www.youtube.com/watch?v={:011d}"


def make(count: int, state: str = "pending", owner: str = "ada") -> list[str]:
    made = []
    for _ in range(count):
        url = URL.format(Job.select().count())
        made.append(intake.accept(Request(owner, url, f"Process video: {url}")).job.id)
        work.ended(made[-1], state)
    return made


def do(api: FlaskClient, action: str, **body: object) -> dict:  # type: ignore[type-arg]  # JSON
    answer = api.post("/api/jobs/bulk", json={"action": action, "filter": {}, **body})
    assert answer.status_code == 200
    return answer.get_json()  # type: ignore[no-any-return]  # JSON


def states() -> set[str]:
    return {job.state for job in Job.select()}


def test_all_active_jobs_can_be_cancelled_at_once(api: FlaskClient) -> None:
    make(3)
    make(2, "completed")

    answer = do(api, "cancel")

    assert answer == {
        "action": "cancel", "dry_run": False, "matched": 3, "done": 3, "refused": {}, "next_cursor": None,
    }  # fmt: skip
    assert states() == {"cancelled", "completed"}


def test_only_what_the_filter_finds_is_done(api: FlaskClient) -> None:
    (unreachable,) = make(1, "failed")
    make(2, "failed")
    Job.update(error_code="source_unreachable").where(Job.id == unreachable).execute()

    answer = do(api, "retry", filter={"error_code": "source_unreachable"})

    assert (answer["matched"], answer["done"]) == (1, 1)
    assert Job.get_by_id(unreachable).state == "pending"
    assert Job.select().where(Job.state == "failed").count() == 2


def test_refusals_are_counted_by_their_code_and_stop_nothing(api: FlaskClient) -> None:
    completed = make(2, "completed")
    Job.update(url="upload:sha256:00").where(Job.id == completed[0]).execute()

    cancelled = do(api, "cancel", filter={"status": "completed"})
    retried = do(api, "retry", filter={"status": "completed"})

    assert (cancelled["done"], cancelled["refused"]) == (0, {"conflict": 2})
    assert (retried["done"], retried["refused"]) == (1, {"upload_gone": 1})


def test_a_dry_run_tells_the_same_numbers_and_changes_nothing(api: FlaskClient) -> None:
    failed = make(3, "failed")
    Job.update(url="upload:sha256:00").where(Job.id == failed[0]).execute()
    events = JobEvent.select().count()

    tried = do(api, "retry", dry_run=True)

    assert states() == {"failed"}
    assert JobEvent.select().count() == events
    assert {**tried, "dry_run": False} == do(api, "retry")


def test_a_request_does_a_bounded_number_and_tells_where_to_go_on(api: FlaskClient) -> None:
    made = make(7)

    first = bulk.apply("cancel", Selection("ada", states=("pending",)), dry_run=False, limit=5)
    second = bulk.apply("cancel", Selection("ada", before=first.next_cursor), dry_run=False, limit=5)

    assert (first.matched, first.next_cursor) == (5, made[2])
    assert (second.matched, second.next_cursor) == (2, None)
    assert states() == {"cancelled"}


def test_batches_miss_nothing(api: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    make(5)

    assert do(api, "cancel")["done"] == 5


def test_a_user_touches_only_their_own_jobs_and_an_admin_everybodys(settings: Config) -> None:
    production = config.use(
        Config(data_dir=settings.data_dir, database_url=settings.database_url, env="production")
    )
    from app.models import schema

    schema.open_database(production)
    user, admin = (
        {"Authorization": f"Bearer {keys.create(name, role)}"}
        for name, role in (("ada", "user"), ("root", "admin"))
    )
    api = create_app(production).test_client()
    make(2, owner="ada")
    make(3, owner="bob")

    answers = [
        api.post("/api/jobs/bulk", json={"action": "cancel", "filter": {}}, headers=who).get_json()
        for who in (user, admin)
    ]

    assert [answer["done"] for answer in answers] == [2, 3]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"action": "delete", "filter": {}}, "action"),
        ({"action": "cancel"}, "filter"),
        ({"action": "cancel", "filter": {"colour": "red"}}, "colour"),
        ({"action": "cancel", "filter": {}, "cursor": "x"}, "cursor"),
    ],
)
def test_a_bad_request_is_refused(api: FlaskClient, body: dict[str, object], named: str) -> None:
    answer = api.post("/api/jobs/bulk", json=body)

    assert answer.status_code == 422
    assert named in answer.get_json()["detail"]
