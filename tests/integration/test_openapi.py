"""What the OpenAPI document allows, and what it does not, sent to the real application: no answer surprises.

YTRAG_TEST_CASES is how many requests are sent on each database; `make fuzz` sends many.
"""

import os
import random
from collections import Counter
from dataclasses import replace
from math import ceil
from typing import Any

import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as how
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from app import config
from app.config import Config
from app.models import schema
from app.models.base import database
from app.models.batches import Batch
from app.models.jobs import Job
from app.models.keys import ApiKey
from app.models.schedules import Schedule
from app.models.videos import Video
from app.models.webhooks import Delivery, Webhook
from app.services import jobs, keys
from app.web.application import create_app
from tests.integration import work

CASES = int(os.environ.get("YTRAG_TEST_CASES", "300"))
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
Operation = APIOperation[Any, Any, Any, Any]
TABLES: dict[str, Any] = {
    "batch_id": Batch,
    "delivery_id": Delivery,
    "job_id": Job,
    "key_id": ApiKey,
    "schedule_id": Schedule,
    "video_id": Video,
    "webhook_id": Webhook,
}
GOOD = {
    "url": [f"https://youtu.be/{letter * 11}" for letter in "abcdefgh"],
    "webhook_url": ["https://example.org/hook"],
    "cron": ["0 6 * * *"],
    "timezone": ["Europe/Berlin"],
}
"""What chance would hardly find."""


def test_no_answer_surprises(settings: Config) -> None:
    wanted = replace(settings, event_stream_s=0.01, requests_per_minute=0, embedding_model="packaged")
    schema.open_database(config.use(wanted))
    app = create_app(wanted)
    furnish(app.test_client())
    document = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    for described in document.raw_schema["paths"].values():
        for operation in described.values():
            operation.pop("security", None)  # nobody is asked for a key here
    operations = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]
    answered: Counter[int] = Counter()

    wishes = [
        (operation, mode)
        for operation in operations
        for mode in GenerationMode
        if mode == GenerationMode.POSITIVE or operation.body or any(operation.iter_parameters())
    ]
    while (left := CASES - answered.total()) > 0:  # what has no parameters is soon exhausted
        for operation, mode in wishes:
            send(operation, mode, ceil(left / len(wishes)), answered)

    print(f"{answered.total()} cases of {len(operations)} operations, by status: {sorted(answered.items())}")
    assert {200, 201, 202, 204, 404, 409, 422} <= answered.keys()
    database.close()


def furnish(api: FlaskClient) -> None:
    """Jobs that are done, failed and waiting, and one of each other thing."""
    for path, body in (
        ("/api/videos/process", {"url": GOOD["url"][0], "webhook_url": "https://example.org/hook"}),
        ("/api/videos/process", {"url": GOOD["url"][1]}),
        ("/api/videos/process", {"url": GOOD["url"][2]}),
        ("/api/batches", {"urls": GOOD["url"][3:5]}),
        (
            "/api/schedules",
            {"name": "daily", "cron": "0 6 * * *", "action": "ingest", "payload": {"url": GOOD["url"][5]}},
        ),
        ("/api/webhooks", {"url": "https://example.org/hook"}),
    ):
        answer = api.post(path, json=body)
        assert answer.status_code < 300, answer.text
    done, stopped = [row.id for row in Job.select(Job.id).order_by(Job.id).limit(2)]
    work.complete(done)
    jobs.cancel(stopped, None)
    keys.create("ada")


def send(operation: Operation, mode: GenerationMode, count: int, answered: Counter[int]) -> None:
    """Send so many cases of the operation, some of them with ids that exist, and check what is answered."""

    @seed(answered.total())
    @how(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode), luck=st.randoms(use_true_random=False))
    def answers(case: Case[Any], luck: random.Random) -> None:
        if mode == GenerationMode.POSITIVE:
            make_likely(case, luck)
        response = case.call_and_validate(checks=CHECKS)
        answered[response.status_code] += 1

    answers()


def make_likely(case: Case[Any], luck: random.Random) -> None:
    """Name what exists, three times in four."""
    for name in case.path_parameters or {}:
        if name in TABLES and luck.random() < 0.75:
            ids = [row.id for row in TABLES[name].select().limit(50)]
            if ids:
                case.path_parameters[name] = luck.choice(ids)
    if isinstance(case.body, dict) and luck.random() < 0.75:
        for body in (case.body, case.body.get("payload")):
            if isinstance(body, dict):
                body |= {name: luck.choice(good) for name, good in GOOD.items() if name in body}
