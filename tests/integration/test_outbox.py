"""What is to be published waits in the database until the broker has it."""

import pytest

from app.config import Config
from app.models.base import transactional
from app.models.messages import Message, Outbox
from app.services import outbox
from tests.integration.conftest import StoppedClock

pytestmark = pytest.mark.usefixtures("house")
JOB = "01JXAMPLE0000000000000000A"


@transactional
def add(actor: str = "download", subject: str = JOB, **more: object) -> str:
    return outbox.add(actor, subject, **({"priority": 1} | more))  # type: ignore[arg-type]  # as given


def test_the_same_call_waits_once(time: StoppedClock) -> None:
    add()
    add()

    assert len(outbox.claim_due()) == 1


def test_two_dispatchers_never_get_the_same_row(time: StoppedClock) -> None:
    for number in range(5):
        add(subject=f"{JOB[:-1]}{number}")

    first, second = outbox.claim_due(limit=3), outbox.claim_due(limit=3)

    assert len(first) == 3
    assert len({row.id for row in [*first, *second]}) == 5


def test_a_row_whose_dispatcher_died_is_published_again(time: StoppedClock) -> None:
    add()
    outbox.claim_due()
    assert outbox.claim_due() == []

    time.pass_s(31)

    assert len(outbox.claim_due()) == 1


def test_a_row_waits_for_its_time_and_the_dispatcher_knows_how_long(time: StoppedClock) -> None:
    later = time.now().replace(minute=1)
    add(available_at=later)

    assert outbox.claim_due() == []
    assert outbox.seconds_to_next(2.0) == 2.0
    time.pass_s(59)
    assert outbox.seconds_to_next(2.0) == 1.0
    time.pass_s(1)
    assert len(outbox.claim_due()) == 1


def test_higher_priorities_are_published_first(time: StoppedClock) -> None:
    for priority in (0, 3, 1):
        add(subject=f"{JOB[:-1]}{priority}", priority=priority)

    assert [row.priority for row in outbox.claim_due()] == [3, 1, 0]


def test_a_sent_row_is_gone_and_its_message_known_as_enqueued(time: StoppedClock) -> None:
    message_id = add()
    (row,) = outbox.claim_due()

    outbox.mark_sent(row)

    assert Outbox.select().count() == 0
    assert Message.get_by_id(message_id).state == "enqueued"


def test_what_is_added_in_a_transaction_that_fails_was_never_there(time: StoppedClock, house: Config) -> None:
    outbox.added.clear()

    @transactional
    def fail() -> None:
        outbox.add("download", JOB, priority=1)
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError):
        fail()

    assert Outbox.select().count() == 0
    assert not outbox.added.is_set()
