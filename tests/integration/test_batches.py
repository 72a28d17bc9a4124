"""Many videos at once: listed once, a job each, counted, and nothing doubled by a crash or a second look."""

from collections.abc import Sequence

import pytest
from flask.testing import FlaskClient

from app.config import Config
from app.engines.listing import Listed, Listing
from app.errors import SourceUnreachable, WorkStopped
from app.models.batches import Batch, BatchEntry
from app.models.jobs import Job
from app.models.messages import Outbox
from app.services import batches, claims, intake, listings, outbox, retention, schedules
from app.services.claims import Claim
from app.services.intake import Request
from app.services.messages import MessageRef
from app.source_errors import VideoUnavailable
from tests.integration import work
from tests.integration.conftest import StoppedClock

pytestmark = pytest.mark.usefixtures("house", "time")
CHANNEL = "https://www.youtube.com/@zoo/videos"


def address(number: int) -> str:
    return f"https://www.youtube.com/watch?v=video{number:06d}"


def listing(numbers: Sequence[int], *more: str) -> Listing:
    urls = [*(address(number) for number in numbers), *more]
    return Listing("The Zoo", tuple(Listed(url, f"Talk {url[-2:]}") for url in urls))


def send(api: FlaskClient, **body: object) -> str:
    answer = api.post("/api/batches", json=body)
    assert answer.status_code == 202, answer.get_json()
    return str(answer.get_json()["batch_id"])


def take(batch_id: str) -> Claim | None:
    row = Outbox.get(actor=batches.ACTOR, subject=batch_id)
    return listings.take(MessageRef(row.message_id, row.actor, batch_id, row.priority), "one")


def expand(batch_id: str, found: Listing | None = None) -> None:
    """Do what the actor does, with this for what the source lists."""
    claim = take(batch_id)
    assert claim
    if found:
        listings.store(claim, found)
    listings.make_jobs(claim)


def show(api: FlaskClient, batch_id: str) -> dict[str, object]:
    found: dict[str, object] = api.get(f"/api/batches/{batch_id}").get_json()
    return found


def test_each_address_becomes_a_job_with_the_batchs_wishes(api: FlaskClient) -> None:
    urls = [address(1), address(2), "https://youtu.be/video000001"]

    answer = api.post("/api/batches", json={"urls": urls, "priority": "high", "mode": "captions"})
    batch_id = answer.get_json()["batch_id"]
    before = show(api, batch_id)
    expand(batch_id)

    assert (answer.status_code, answer.get_json()["status"]) == (202, "Queued")
    assert answer.headers["Location"].endswith(f"/api/batches/{batch_id}")
    assert (before["status"], before["counts"]["total"]) == ("pending", 2)  # type: ignore[index]  # JSON
    jobs = list(Job.select().order_by(Job.id))
    assert [(job.url, job.priority, job.mode) for job in jobs] == [
        (address(n), 2, "captions") for n in (1, 2)
    ]
    assert Outbox.select().where(Outbox.actor == batches.ACTOR).count() == 0
    assert Outbox.select().where(Outbox.actor == "download").count() == 2


def test_a_list_is_counted_by_what_became_of_its_videos(api: FlaskClient) -> None:
    batch_id = send(api, url="https://www.youtube.com/@zoo", limit=9, since="2026-01-31")
    expand(batch_id, listing(range(4), "https://elsewhere.example/a.mp4"))
    first, second, *_ = Job.select().order_by(Job.id)
    work.complete(first.id)
    claims.give_up(work.take(second.id, "download"), VideoUnavailable("gone"), "trace")

    found = show(api, batch_id)

    assert (found["title"], found["url"], found["limit"], found["since"]) == (
        "The Zoo", CHANNEL, 9, "2026-01-31",
    )  # fmt: skip
    assert found["counts"] == {
        **dict.fromkeys(("scheduled", "running", "retrying", "cancelled"), 0),
        "total": 5,
        "pending": 2,
        "completed": 1,
        "failed": 1,
        "refused": 1,
    }
    assert (found["status"], found["progress"]) == ("running", 60.0)
    assert [one["code"] for one in found["refused"]] == ["source_not_allowed"]  # type: ignore[attr-defined]  # JSON
    listed = api.get("/api/batches").get_json()["data"]
    assert [(one["batch_id"], one["progress"]) for one in listed] == [(batch_id, 60.0)]


def test_its_jobs_come_in_pages_and_can_be_cancelled_in_bulk(api: FlaskClient) -> None:
    intake.accept(Request(owner="local", url=address(99), name="another"))
    batch_id = send(api, urls=[address(number) for number in range(5)])
    expand(batch_id)

    first = api.get(f"/api/batches/{batch_id}?limit=3").get_json()
    second = api.get(f"/api/batches/{batch_id}?limit=3&cursor={first['next_cursor']}").get_json()
    done = api.post("/api/jobs/bulk", json={"action": "cancel", "filter": {"batch_id": batch_id}}).get_json()

    urls = [job["url"] for job in first["jobs"] + second["jobs"]]
    assert urls == [address(number) for number in (4, 3, 2, 1, 0)]
    assert second["next_cursor"] is None
    assert done["done"] == 5
    assert show(api, batch_id)["status"] == "completed"
    assert Job.get(Job.url == address(99)).state == "pending"


def test_what_was_ingested_before_counts_and_is_not_done_again(api: FlaskClient) -> None:
    job = intake.accept(Request(owner="local", url=address(1), name="before")).job
    work.complete(job.id)

    batch_id = send(api, urls=[address(1)])
    expand(batch_id)

    found = show(api, batch_id)
    assert (found["status"], found["progress"]) == ("completed", 100.0)
    assert Job.select().count() == 1


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "either urls or url"),
        ({"urls": [address(1)], "url": CHANNEL}, "either urls or url"),
        ({"urls": [address(1), "https://elsewhere.example/"]}, "elsewhere.example"),
        ({"urls": [CHANNEL]}, "@zoo"),
        ({"url": address(1)}, "neither a playlist nor a channel"),
        ({"url": CHANNEL, "limit": 0}, "limit"),
        ({"url": CHANNEL, "since": "soon"}, "since"),
        ({"urls": [address(1)] * 1001}, "urls"),
        ({"url": CHANNEL, "colour": "red"}, "colour"),
    ],
)
def test_a_bad_batch_is_refused_by_what_is_wrong_and_leaves_nothing(
    api: FlaskClient, body: dict[str, object], named: str
) -> None:
    answer = api.post("/api/batches", json=body)

    assert answer.status_code == 422
    assert named in answer.get_json()["detail"]
    assert Batch.select().count() == Outbox.select().count() == 0


def test_a_batch_is_its_owners_alone(house: Config) -> None:
    batch = batches.create("ada", urls=[address(1)])

    assert batches.page("bob", before=None, limit=9) == []
    with pytest.raises(Exception, match="There is no batch"):
        batches.get(batch.id, "bob")


def test_a_crash_in_the_midst_of_making_jobs_doubles_none_and_loses_none(
    api: FlaskClient, time: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "AT_ONCE", 3)
    batch_id = send(api, url=CHANNEL)
    dead = take(batch_id)
    assert dead
    listings.store(dead, listing(range(10)))
    listings._make_some(dead)
    assert take(batch_id) is None
    time.pass_s(61)

    heir = take(batch_id)
    assert heir
    listings.store(heir, listing(range(11)))
    listings.make_jobs(heir)

    with pytest.raises(WorkStopped):
        listings.make_jobs(dead)
    assert sorted(job.url for job in Job.select()) == [address(number) for number in range(11)]
    assert BatchEntry.select().count() == 11
    assert show(api, batch_id)["counts"]["total"] == 11  # type: ignore[index]  # JSON


def test_a_listing_that_fails_is_tried_again_and_then_says_why(api: FlaskClient, time: StoppedClock) -> None:
    batch_id = send(api, url=CHANNEL)
    for delay_s in (10, 30, 60):
        claim = take(batch_id)
        assert claim
        listings.give_up(claim, SourceUnreachable("no answer"))
        assert show(api, batch_id)["status"] == "retrying"
        assert outbox.claim_due() == []
        time.pass_s(delay_s)

    claim = take(batch_id)
    assert claim
    listings.give_up(claim, SourceUnreachable("no answer"))

    found = show(api, batch_id)
    assert found["status"] == "failed"
    assert found["error"]["code"] == "source_unreachable"  # type: ignore[index]  # JSON
    assert Outbox.select().count() == 0


def test_a_schedule_makes_jobs_of_new_videos_only(api: FlaskClient, time: StoppedClock) -> None:
    put = {"name": "zoo", "cron": "0 * * * *", "action": "sync", "payload": {"url": CHANNEL, "limit": 50}}
    assert api.put("/api/schedules", json=put).status_code == 201
    work.complete(intake.accept(Request(owner="local", url=address(9), name="known")).job.id)
    fired = []
    for numbers in (range(5), range(7), range(7, 10)):
        time.pass_s(3600)
        assert schedules.fire_due() == 1
        batch = Batch.select().order_by(Batch.id.desc()).get()
        assert (batch.most, batch.only_new, batch.owner) == (50, True, "local")
        expand(batch.id, listing(numbers))
        entries = BatchEntry.select().where(BatchEntry.batch == batch.id).order_by(BatchEntry.position)
        fired.append([entry.url for entry in entries])
        for job in Job.select().where(Job.state == "pending"):
            claims.give_up(work.take(job.id, "download"), VideoUnavailable("gone"), "trace")

    assert fired == [[address(n) for n in numbers] for numbers in (range(5), (5, 6), (7, 8))]


def test_old_batches_go_with_their_jobs(api: FlaskClient, time: StoppedClock) -> None:
    batch_id = send(api, urls=[address(1)])
    expand(batch_id)
    api.post("/api/jobs/bulk", json={"action": "cancel", "filter": {"batch_id": batch_id}})
    time.pass_s(91 * 86400)

    gone = retention.keep_house()

    assert (gone["jobs"], gone["batches"]) == (1, 1)
    assert Batch.select().count() == BatchEntry.select().count() == 0
