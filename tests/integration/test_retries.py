"""A job that has ended can be done again, from whichever stage still has what it works on."""

from io import BytesIO

import pytest
from flask.testing import FlaskClient

from app.config import Config
from app.errors import CorruptMedia, SourceUnreachable, WorkStopped
from app.models.jobs import Chunk, Job, JobEvent, JobStage
from app.models.messages import Outbox
from app.models.videos import Segment, Video
from app.services import claims, intake, jobs, media, retries, search, transcripts
from app.services.intake import Request
from app.stages import CHUNK_ACTOR, NAMES
from tests.integration import work
from tests.integration.conftest import StoppedClock

URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


@pytest.fixture
def job_id(house: Config, time: StoppedClock) -> str:
    return intake.accept(Request(owner="ada", url=URL, name="Elephants")).job.id


def retry(api: FlaskClient, job_id: str, **body: object) -> tuple[int, dict]:  # type: ignore[type-arg]  # JSON
    answer = api.post(f"/api/jobs/{job_id}/retry", json=body)
    return answer.status_code, answer.get_json()


def upload(api: FlaskClient) -> str:
    answer = api.post("/api/videos/upload", data={"file": (BytesIO(b"sound"), "talk.mp3")})
    return str(answer.get_json()["job_id"])


def fail(job_id: str, stage: str) -> None:
    claims.give_up(work.take(job_id, stage), CorruptMedia("broken"), "trace")


def states(job_id: str) -> dict[str, str]:
    rows = JobStage.select().where(JobStage.job == job_id).order_by(JobStage.position)
    return {row.name: row.state for row in rows}


def test_a_failed_job_begins_again_with_the_stage_that_failed(
    api: FlaskClient, job_id: str, time: StoppedClock
) -> None:
    work.do(job_id, "download")
    fail(job_id, "extract_audio")

    code, answer = retry(api, job_id)

    job = Job.get_by_id(job_id)
    assert (code, answer["status"], answer["from_stage"]) == (202, "Queued", "extract_audio")
    assert (job.state, job.error_code, job.finished_at) == ("pending", None, None)
    assert set(states(job_id).values()) == {"completed", "pending"}
    assert [(row.actor, row.message_id) for row in Outbox.select()] == [
        ("extract_audio", answer["message_id"])
    ]
    assert JobEvent.select().order_by(JobEvent.seq.desc()).first().type == "retried"
    work.do(job_id, *NAMES[1:])
    assert Job.get_by_id(job_id).state == "completed"


def test_a_retried_stage_has_all_its_attempts_again(job_id: str, time: StoppedClock) -> None:
    for _attempt in range(4):
        claims.give_up(work.take(job_id, "download"), SourceUnreachable("no answer"), "trace")
        time.pass_s(60)

    retries.retry(job_id, "ada")

    assert work.take(job_id, "download").attempt == 1


def test_where_the_files_are_gone_a_job_begins_with_its_download_and_says_so(
    api: FlaskClient, job_id: str
) -> None:
    work.do(job_id, "download", "extract_audio", "transcribe")
    fail(job_id, "segment")
    Chunk.update(words=None).execute()
    media.clean_up(job_id)

    _, answer = retry(api, job_id, from_stage="transcribe")

    assert answer["from_stage"] == "download"
    assert "transcribe" in answer["message"]
    assert Chunk.select().count() == 0
    work.complete(job_id)
    assert Job.get_by_id(job_id).state == "completed"


def test_a_stage_whose_predecessors_never_ran_is_not_begun_with(api: FlaskClient, job_id: str) -> None:
    fail(job_id, "download")

    _, answer = retry(api, job_id, from_stage="embed")

    assert answer["from_stage"] == "download"


@pytest.mark.parametrize("stage", ["segment", "embed", "index"])
def test_a_completed_job_is_done_again_from_its_words_on_without_any_file(
    api: FlaskClient, job_id: str, stage: str
) -> None:
    work.complete(job_id)
    media.clean_up(job_id)

    _, answer = retry(api, job_id, from_stage=stage)
    work.do(job_id, *NAMES[NAMES.index(stage) :])

    assert answer["from_stage"] == stage
    assert Job.get_by_id(job_id).state == "completed"
    assert Segment.select().count() == 1
    assert Segment.get().revision == Video.get().revision


def test_what_searches_show_stays_whole_until_the_new_segments_are_ready(
    api: FlaskClient, job_id: str
) -> None:
    work.complete(job_id)
    retries.retry(job_id, "ada", "segment")

    work.do(job_id, "segment")

    (shown,) = transcripts.segments_of(Video.get().revision or "")
    assert shown.vectors is not None
    work.do(job_id, "embed", "index")
    (replaced,) = Segment.select()
    assert replaced.id != shown.id
    assert replaced.revision == Video.get().revision


def test_a_new_transcript_leaves_the_draft_of_another_job_alone(job_id: str) -> None:
    other = intake.accept(Request(owner="ada", url=URL, name="Elephants", language="en")).job.id
    work.do(other, *NAMES[:4])

    work.complete(job_id)
    work.do(other, "embed", "index")

    (segment,) = Segment.select()
    assert segment.revision == other == Video.get().revision


def test_a_job_at_work_cannot_be_retried(api: FlaskClient, job_id: str) -> None:
    code, problem = retry(api, job_id)

    assert (code, problem["code"]) == (409, "conflict")


@pytest.mark.parametrize("body", [{"from_stage": "upload"}, {"stage": "embed"}, {"from_stage": 3}])
def test_an_unknown_stage_or_field_is_refused(api: FlaskClient, job_id: str, body: dict[str, object]) -> None:
    jobs.cancel(job_id, None)

    code, problem = retry(api, job_id, **body)

    assert (code, problem["code"]) == (422, "invalid_input")
    assert next(iter(body)) in problem["detail"]


def test_a_job_that_is_not_there_cannot_be_retried(api: FlaskClient) -> None:
    assert retry(api, "01JXAMPLE0000000000000000A")[0] == 404


def test_an_upload_begins_again_behind_the_download_while_its_file_is_there(api: FlaskClient) -> None:
    job_id = upload(api)
    fail(job_id, "extract_audio")

    code, answer = retry(api, job_id, from_stage="download")

    assert (code, answer["from_stage"]) == (202, "extract_audio")
    assert states(job_id)["download"] == "skipped"


def test_an_upload_whose_file_is_gone_has_to_be_sent_again(api: FlaskClient) -> None:
    job_id = upload(api)
    fail(job_id, "extract_audio")
    media.clean_up(job_id)

    code, problem = retry(api, job_id)

    assert (code, problem["code"]) == (409, "upload_gone")
    assert "again" in problem["hint"]
    assert Job.get_by_id(job_id).state == "failed"


def test_a_completed_upload_is_done_again_from_its_words_on(api: FlaskClient) -> None:
    job_id = upload(api)
    work.do(job_id, *NAMES[1:])
    media.clean_up(job_id)

    assert retry(api, job_id)[1]["code"] == "upload_gone"
    assert retry(api, job_id, from_stage="segment")[1]["from_stage"] == "segment"
    work.do(job_id, *NAMES[3:])
    assert Job.get_by_id(job_id).state == "completed"


def test_a_clean_up_that_comes_late_leaves_the_files_of_a_restarted_job(
    job_id: str, house: Config, time: StoppedClock
) -> None:
    work.do(job_id, "download")
    fail(job_id, "extract_audio")
    retries.retry(job_id, "ada")

    media.clean_up(job_id)

    assert work.files(house.data_dir) == ["talk.webm"]
    work.do(job_id, *NAMES[1:])
    media.clean_up(job_id)
    assert work.files(house.data_dir) == []
    assert not list((house.data_dir / "files" / "jobs").iterdir())


def test_a_clean_up_of_an_earlier_end_does_not_settle_that_of_a_later_one(
    job_id: str, house: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.do(job_id, "download")
    fail(job_id, "extract_audio")
    kept: list[str] = []

    def end_again_in_between(found: str) -> bool:
        retries.retry(found, "ada")
        kept.append(work.take(found, "extract_audio").job_id)
        work.file_of(found, "audio.wav")
        jobs.cancel(found, "ada")
        return True

    monkeypatch.setattr(media, "_let_go", end_again_in_between)
    media.clean_up(job_id)
    monkeypatch.undo()

    assert work.files(house.data_dir) == ["audio.wav"]
    assert Outbox.select().where(Outbox.actor == "clean_up").count() == 1


def test_a_worker_of_the_first_run_stores_nothing_in_the_second(job_id: str) -> None:
    work.do(job_id, "download", "extract_audio")
    work.begin_recognition(job_id)
    zombie = work.take(job_id, CHUNK_ACTOR)
    jobs.cancel(job_id, "ada")
    retries.retry(job_id, "ada", "transcribe")
    work.begin_recognition(job_id)
    work.take(job_id, CHUNK_ACTOR, worker="two")

    with pytest.raises(WorkStopped):
        claims.finish(zombie)
    claims.renew(zombie)

    assert zombie.stopped.is_set()
    assert Chunk.get().state == "running"


def test_a_worker_of_a_chunk_that_is_gone_does_not_hold_one_of_another_job(job_id: str) -> None:
    other = intake.accept(Request(owner="ada", url=URL, name="Elephants", language="en")).job.id
    work.do(job_id, "download", "extract_audio")
    work.begin_recognition(job_id)
    zombie = work.take(job_id, CHUNK_ACTOR)
    jobs.cancel(job_id, "ada")
    retries.retry(job_id, "ada", "transcribe")
    work.do(other, "download", "extract_audio")
    work.begin_recognition(other)
    work.take(other, CHUNK_ACTOR, worker="two")

    with pytest.raises(WorkStopped):
        claims.finish(zombie)

    assert Chunk.get().state == "running"


def test_a_retried_job_is_the_videos_again_unless_another_one_is(job_id: str) -> None:
    fail(job_id, "download")
    retries.retry(job_id, "ada")
    again = intake.accept(Request(owner="ada", url=URL, name="Elephants"))
    fail(job_id, "download")
    other = intake.accept(Request(owner="ada", url=URL, name="Elephants")).job

    retries.retry(job_id, "ada")

    assert (again.deduplicated, again.job.id) == (True, job_id)
    assert Job.get_by_id(job_id).dedup_key is None
    assert Job.get_by_id(other.id).dedup_key is not None


def test_the_index_can_be_built_anew_when_the_jobs_rows_are_gone(job_id: str) -> None:
    from app.services import indexing

    work.complete(job_id)
    Job.delete().execute()

    assert indexing.rebuild() == 1
    assert search.search(None, "elephants", mode="keyword").hits
