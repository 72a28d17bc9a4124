"""Webhooks: registered, told with the event, signed, tried again, paused, and never led astray."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook as Verifier

from app import config
from app.config import Config
from app.models import schema
from app.models.base import database
from app.models.messages import Outbox
from app.models.webhooks import Delivery, Webhook
from app.services import claims, deliveries, jobs, keys, retention
from app.source_errors import VideoUnavailable
from app.web.application import create_app
from tests.integration import work
from tests.integration.conftest import StoppedClock
from tests.receiver import Receiver

VIDEO = {"url": "https://www.youtube.com/watch?v=jNQXAC9IVRw"}
DELAYS_S = (10.0, 60.0)
ALL = ["progress", "completed", "failed", "cancelled"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where webhooks lead to."""
    with Receiver() as found:
        yield found


@pytest.fixture
def api(settings: Config) -> Iterator[FlaskClient]:
    """The door of a server that may send to loopback."""
    wanted = replace(
        settings, webhook_private_addresses=True, webhook_delays_s=DELAYS_S, webhook_pause_after=3
    )
    yield create_app(config.use(wanted)).test_client()
    database.close()


def register(api: FlaskClient, url: str, events: list[str] | None = None) -> dict[str, Any]:
    answer = api.post("/api/webhooks", json={"url": url, "events": events or ALL})
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def submit(api: FlaskClient, **more: str) -> dict[str, Any]:
    return dict(api.post("/api/videos/process", json={**VIDEO, **more}).get_json())


def data(delivery: dict[str, Any] | Delivery) -> dict[str, object]:
    body = delivery.body if isinstance(delivery, Delivery) else delivery["body"]
    return dict(json.loads(body)["data"])


def of(api: FlaskClient, hook: dict[str, Any]) -> list[dict[str, Any]]:
    """The webhook's deliveries, oldest first."""
    return list(reversed(api.get(f"/api/webhooks/{hook['id']}/deliveries").get_json()["data"]))


def test_a_completed_job_is_told_signed_and_under_the_promised_names(
    api: FlaskClient, receiver: Receiver
) -> None:
    hook = register(api, f"{receiver.url}/hook", ["completed"])
    job = submit(api)["job_id"]
    work.complete(job)

    deliveries.send_due(hook["id"])

    (call,) = receiver.received
    told = Verifier(hook["secret"]).verify(call.body, call.headers)
    assert (call.path, told["type"]) == ("/hook", "completed")
    assert told["data"].keys() == {
        *("job_id", "video_id", "video_title", "completed_at", "processing_time_s", "stats")
    }
    assert told["data"]["stats"] == {"total_segments": 1, "total_embeddings": 2, "video_duration_s": 60.0}
    (delivery,) = of(api, hook)
    assert (delivery["id"], delivery["state"]) == (call.headers["webhook-id"], "delivered")
    assert not Outbox.select().where(Outbox.actor == "notify").exists()


def test_a_job_tells_progress_seldom_failure_and_cancelling_once_each(
    api: FlaskClient, receiver: Receiver, time: StoppedClock
) -> None:
    hook = register(api, receiver.url)
    failing, stopped = submit(api)["job_id"], submit(api, language="de")["job_id"]

    work.do(failing, "download", "extract_audio")
    time.pass_s(6)
    work.do(failing, "transcribe", "segment")
    claims.give_up(work.take(failing, "embed"), VideoUnavailable("It is gone."), "")
    jobs.cancel(stopped, None)
    jobs.cancel(stopped, None)
    deliveries.send_due(hook["id"])

    told = [json.loads(call.body) for call in receiver.received]
    assert [one["type"] for one in told] == ["progress", "progress", "failed", "cancelled"]
    assert told[0]["data"].keys() == {
        *("job_id", "status", "overall_progress", "current_stage", "message", "timestamp")
    }
    assert told[2]["data"].keys() == {
        *("job_id", "error_code", "error_message", "failed_at", "can_retry", "retry_count", "attempt")
    }
    assert told[3]["data"]["job_id"] == stopped


def test_a_job_brings_its_own_webhook(api: FlaskClient, receiver: Receiver) -> None:
    accepted = submit(api, webhook_url=receiver.url)
    again = submit(api, webhook_url=receiver.url)
    jobs.cancel(accepted["job_id"], None)

    deliveries.send_due(accepted["webhook_id"])

    (call,) = receiver.received
    assert Verifier(accepted["webhook_secret"]).verify(call.body, call.headers)["type"] == "cancelled"
    assert (again["webhook_id"], again["webhook_secret"]) == (accepted["webhook_id"], None)


def test_without_a_webhook_nothing_is_stored(api: FlaskClient) -> None:
    work.complete(submit(api)["job_id"])

    assert not Delivery.select().exists()


def test_a_webhook_hears_of_jobs_that_were_at_work_before_it(api: FlaskClient, receiver: Receiver) -> None:
    job = submit(api)["job_id"]
    hook = register(api, receiver.url)

    jobs.cancel(job, None)

    assert [delivery["type"] for delivery in of(api, hook)] == ["cancelled"]


def test_what_fails_is_tried_again_in_time_and_then_given_up(
    api: FlaskClient, receiver: Receiver, time: StoppedClock
) -> None:
    config.use(replace(config.current(), webhook_pause_after=99))
    hook = register(api, receiver.url)
    jobs.cancel(submit(api)["job_id"], None)
    receiver.answers = [500, 302, 503]
    receiver.location = f"{receiver.url}/elsewhere"
    tries = []

    for wait_s in (0, 9, 1, 60, 1000):
        time.pass_s(wait_s)
        deliveries.send_due(hook["id"])
        tries.append(len(receiver.received))

    assert tries == [1, 1, 2, 3, 3]
    assert {call.path for call in receiver.received} == {"/"}
    assert len({call.headers["webhook-id"] for call in receiver.received}) == 1
    (delivery,) = of(api, hook)
    assert (delivery["state"], delivery["attempts"], delivery["status_code"]) == ("failed", 3, 503)

    sent = api.post(f"/api/webhooks/{hook['id']}/deliveries/{delivery['id']}/send")
    deliveries.send_due(hook["id"])

    assert sent.status_code == 202
    assert of(api, hook)[0]["state"] == "delivered"


def test_the_message_of_a_webhook_waits_for_the_next_try(
    api: FlaskClient, receiver: Receiver, time: StoppedClock
) -> None:
    hook = register(api, receiver.url)
    job = submit(api)["job_id"]
    jobs.cancel(job, None)
    receiver.answers = [500]

    deliveries.send_due(hook["id"])

    row = Outbox.get(actor="notify")
    assert (row.lease_until, (row.available_at - time.now()).total_seconds()) == (None, DELAYS_S[0])
    api.post(f"/api/webhooks/{hook['id']}/test")
    assert Outbox.get(actor="notify").available_at == time.now()


def test_a_webhook_that_goes_on_failing_is_paused_and_loses_nothing(
    api: FlaskClient, receiver: Receiver, time: StoppedClock
) -> None:
    hook = register(api, receiver.url, ["cancelled"])
    receiver.answers = [500] * 3
    for language in ("de", "en", "fr", "it"):
        jobs.cancel(submit(api, language=language)["job_id"], None)

    deliveries.send_due(hook["id"])
    paused = api.get(f"/api/webhooks/{hook['id']}").get_json()
    refused = api.post(f"/api/webhooks/{hook['id']}/test")
    time.pass_s(60)
    api.patch(f"/api/webhooks/{hook['id']}", json={"enabled": True})
    deliveries.send_due(hook["id"])

    assert (paused["state"], paused["paused_because"]) == ("paused", "3 tries in a row failed.")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "webhook_paused")
    assert len({call.headers["webhook-id"] for call in receiver.received}) == 4
    assert {delivery["state"] for delivery in of(api, hook)} == {"delivered"}


def test_a_receiver_that_is_gone_is_asked_once(api: FlaskClient, receiver: Receiver) -> None:
    hook = register(api, receiver.url)
    receiver.answers = [410]

    api.post(f"/api/webhooks/{hook['id']}/test")
    deliveries.send_due(hook["id"])
    deliveries.send_due(hook["id"])

    assert len(receiver.received) == 1
    assert api.get(f"/api/webhooks/{hook['id']}").get_json()["state"] == "paused"


def test_one_worker_at_a_time_sends_to_a_webhook(api: FlaskClient, receiver: Receiver) -> None:
    hook = register(api, receiver.url)
    api.post(f"/api/webhooks/{hook['id']}/test")
    assert deliveries._claim(hook["id"])

    deliveries.send_due(hook["id"])

    assert receiver.received == []
    assert Outbox.select().where(Outbox.actor == "notify").exists()


def test_a_message_that_got_lost_is_made_good_by_housekeeping(
    api: FlaskClient, receiver: Receiver, time: StoppedClock
) -> None:
    hook = register(api, receiver.url)
    api.post(f"/api/webhooks/{hook['id']}/test")
    Outbox.delete().execute()
    time.pass_s(100)

    retention.keep_house()

    assert [row.subject for row in Outbox.select().where(Outbox.actor == "notify")] == [hook["id"]]


def test_a_deleted_webhook_leaves_no_message_behind(api: FlaskClient, receiver: Receiver) -> None:
    hook = register(api, receiver.url)
    api.post(f"/api/webhooks/{hook['id']}/test")
    api.delete(f"/api/webhooks/{hook['id']}")

    deliveries.send_due(hook["id"])

    assert not Outbox.select().where(Outbox.actor == "notify").exists()
    assert not Delivery.select().exists()


def test_webhooks_are_changed_and_listed_by_their_owners_alone(settings: Config) -> None:
    production = replace(settings, env="production")
    schema.open_database(config.use(production))
    ada, bob = ({"Authorization": f"Bearer {keys.create(name)}"} for name in ("ada", "bob"))
    door = create_app(production).test_client()
    body = {"url": "https://example.org/hook"}
    mine = door.post("/api/webhooks", json=body, headers=ada).get_json()
    path = f"/api/webhooks/{mine['id']}"

    foreign = [
        door.get(path, headers=bob),
        door.patch(path, json={"enabled": False}, headers=bob),
        door.delete(path, headers=bob),
        door.post(f"{path}/test", headers=bob),
        door.get(f"{path}/deliveries", headers=bob),
        door.post(f"{path}/deliveries/x/send", headers=bob),
    ]
    changed = door.patch(path, json={"events": ["failed"], "enabled": False}, headers=ada).get_json()

    assert {answer.status_code for answer in foreign} == {404}
    assert (changed["events"], changed["state"]) == (["failed"], "disabled")
    assert "secret" not in changed
    assert mine["secret"].startswith("whsec_")
    assert [hook["id"] for hook in door.get("/api/webhooks", headers=ada).get_json()["data"]] == [mine["id"]]
    assert door.get("/api/webhooks", headers=bob).get_json()["data"] == []
    assert Webhook.get().owner == "ada"
    database.close()
