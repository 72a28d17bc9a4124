"""Chunks: a few at a time in the broker, each recognised once, all put together when the last is done."""

from threading import Barrier, Thread

import pytest

from app import config
from app.engines.segmenter import segment_words
from app.models.base import database
from app.models.jobs import Chunk, Job, JobStage
from app.models.messages import Outbox
from app.services import chunks, claims, intake, jobs, recovery, retries, transcripts
from app.services.claims import Claim
from app.services.intake import Request
from app.services.messages import MessageRef
from app.stages import CHUNK_ACTOR
from app.values import Recognition, Word
from tests.integration import work

SLICES = [(60.0 * number, 60.0 * number + 60) for number in range(6)]
SOUND = "a" * 64
pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture
def job_id() -> str:
    """A job whose sound is ready to be planned."""
    url = "https://www.youtube.com/watch?v=jNQXAC9IVRw"
    job = intake.accept(Request(owner="ada", url=url, name="Elephants")).job
    work.do(job.id, "download", "extract_audio")
    return job.id


def plan(job_id: str, slices: list[tuple[float, float]] = SLICES, sound: str = SOUND) -> None:
    work.take(job_id, "transcribe")
    transcripts.plan_chunks(job_id, slices, sound)


def take(job_id: str, position: int) -> Claim:
    claim = claims.take(MessageRef(f"{position}-{job_id}", CHUNK_ACTOR, job_id, 1, position), position, "one")
    assert claim is not None
    return claim


def said(position: int) -> Recognition:
    at_s = 60.0 * position + 1
    return Recognition("en", (Word(f"word{position}", at_s, at_s + 0.5, 0.9),))


def do(job_id: str, position: int) -> None:
    """Recognise the chunk."""
    take(job_id, position)
    transcripts.store_words(job_id, position, said(position), "whisper-small")


def rung(job_id: str) -> list[int | None]:
    """The chunks that are to be published."""
    rows = Outbox.select().where((Outbox.subject == job_id) & (Outbox.actor == CHUNK_ACTOR))
    return [row.position for row in rows.order_by(Outbox.position)]


def test_no_more_chunks_than_the_window_are_let_in_and_each_that_ends_lets_in_the_next(job_id: str) -> None:
    plan(job_id)
    first = rung(job_id)

    do(job_id, 2)

    assert first == [0, 1, 2]
    assert rung(job_id) == [0, 1, 2, 3]


def test_after_a_restart_only_what_was_let_in_is_published_again(job_id: str) -> None:
    plan(job_id)
    do(job_id, 0)
    Outbox.delete().execute()

    recovery.ring_all()

    assert rung(job_id) == [1, 2, 3]


def test_the_last_chunk_ends_the_stage_whatever_the_order(job_id: str) -> None:
    plan(job_id)

    for position in (3, 2, 1, 0, 5, 4):
        assert JobStage.get(job=job_id, name="transcribe").state == "running"
        do(job_id, position)

    assert JobStage.get(job=job_id, name="transcribe").state == "completed"
    assert Outbox.select().where(Outbox.actor == "segment").count() == 1
    assert [word.text for word in transcripts.words_of(job_id)] == [f"word{n}" for n in range(6)]


def test_two_that_end_at_once_set_the_next_stage_going_once(job_id: str) -> None:
    plan(job_id, SLICES[:2])
    together = Barrier(2)

    def end(position: int) -> None:
        take(job_id, position)
        together.wait(20)
        transcripts.store_words(job_id, position, said(position), "whisper-small")
        database.close()

    threads = [Thread(target=end, args=(position,)) for position in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert JobStage.get(job=job_id, name="transcribe").state == "completed"
    assert Outbox.select().where(Outbox.actor == "segment").count() == 1


def test_a_retry_recognises_only_what_was_not_recognised(job_id: str) -> None:
    plan(job_id)
    do(job_id, 0)
    do(job_id, 2)
    jobs.cancel(job_id, "ada")
    retries.retry(job_id, "ada", "transcribe")

    plan(job_id)

    assert rung(job_id) == [1, 3, 4]
    states = [chunk.state for chunk in Chunk.select().order_by(Chunk.position)]
    assert states == ["completed", "pending", "completed", "pending", "pending", "pending"]


def test_a_retry_of_a_job_that_was_recognised_in_full_goes_on_at_once(job_id: str) -> None:
    plan(job_id, SLICES[:1])
    do(job_id, 0)
    jobs.cancel(job_id, "ada")
    retries.retry(job_id, "ada", "transcribe")

    plan(job_id, SLICES[:1])

    assert JobStage.get(job=job_id, name="transcribe").state == "completed"
    assert rung(job_id) == []
    assert Outbox.select().where(Outbox.actor == "segment").count() == 1


@pytest.mark.parametrize("change", ["sound", "model", "language", "range"])
def test_what_other_words_may_come_of_is_recognised_again(job_id: str, change: str) -> None:
    plan(job_id, SLICES[:1])
    do(job_id, 0)
    jobs.cancel(job_id, "ada")
    retries.retry(job_id, "ada", "transcribe")
    if change == "model":
        config.use(config.Config(**{**vars(config.current()), "whisper_model": "large-v3"}))
    if change == "language":
        Job.update(language="de").where(Job.id == job_id).execute()

    plan(
        job_id,
        [(0.0, 59.0)] if change == "range" else SLICES[:1],
        "b" * 64 if change == "sound" else SOUND,
    )

    assert rung(job_id) == [0]


def test_the_language_that_is_detected_first_is_that_of_the_job(job_id: str) -> None:
    assert [chunks.settle_language(job_id, found) for found in ("en", "de")] == ["en", "en"]
    assert Job.get_by_id(job_id).spoken_language == "en"


def test_doubtful_words_are_kept_in_passages_that_are_not_searched(job_id: str) -> None:
    plan(job_id, SLICES[:1])
    take(job_id, 0)
    words = (Word("Elephants.", 1, 2, 0.9), Word("Thanks.", 30, 31, 0.1, "unsure"))
    transcripts.store_words(job_id, 0, Recognition("en", words), "whisper-small")

    work.take(job_id, "segment")
    transcripts.replace_segments(job_id, segment_words(transcripts.words_of(job_id)))

    revision = Job.get_by_id(job_id).revision
    assert [(s.text, s.doubt) for s in transcripts.segments_of(revision)] == [
        ("Elephants.", None),
        ("Thanks.", "unsure"),
    ]
    assert [segment.text for segment in transcripts.written_by(job_id)] == ["Elephants."]
