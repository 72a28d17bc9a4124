"""What the broker has lost is published again, what it still has is not."""

import pytest

from app.models.jobs import Job
from app.models.messages import Message, Outbox
from app.services import claims, recovery
from app.services.messages import MessageRef
from tests.downloads import dispatch, jobs_of
from tests.integration.conftest import StoppedClock

pytestmark = pytest.mark.usefixtures("house")
LATE_S = 21
"""Longer than a message may wait before anything is made of it."""


def rung() -> list[tuple[str, str | None]]:
    """The jobs whose download waits to be published, with the message as which it will be."""
    return [(row.subject, row.message_id) for row in Outbox.select().order_by(Outbox.subject)]


def start(job: Job) -> None:
    claims.take(MessageRef(job.message_id, "download", job.id, job.priority), None, "one")


def test_what_an_empty_queue_should_hold_is_published_again(time: StoppedClock) -> None:
    jobs = jobs_of(2)
    dispatch()
    time.pass_s(LATE_S)

    assert recovery.ring_lost(lambda queue: 1) == 0
    assert rung() == []
    assert recovery.ring_lost(lambda queue: 0) == 2

    assert rung() == [(job.id, job.message_id) for job in jobs]


def test_what_younger_messages_have_overtaken_is_published_again(time: StoppedClock) -> None:
    (lost,) = jobs_of(1)
    dispatch()
    time.pass_s(1)
    (urgent,) = jobs_of(1, source="https://videos.example/urgent/", priority=2)
    (later,) = jobs_of(1, source="https://videos.example/later/")
    dispatch()
    time.pass_s(LATE_S)

    start(urgent)
    assert recovery.ring_lost(lambda queue: 1) == 0
    start(later)
    assert recovery.ring_lost(lambda queue: 1) == 1

    assert rung() == [(lost.id, lost.message_id)]


def test_a_message_that_is_not_late_or_whose_work_is_over_is_left_alone(time: StoppedClock) -> None:
    (job,) = jobs_of(1)
    dispatch()

    assert recovery.ring_lost(lambda queue: 0) == 0
    start(job)
    Message.update(state="enqueued").where(Message.id == job.message_id).execute()
    time.pass_s(LATE_S)

    assert recovery.ring_lost(lambda queue: 0) == 0
    assert (rung(), Message.get_by_id(job.message_id).state) == ([], "done")
