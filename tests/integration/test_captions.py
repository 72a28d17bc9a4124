"""Captions from a played YouTube, through the real downloader, to a job's transcript."""

from datetime import date
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.config import Config
from app.engines.media import DownloadLimits, YtDlp
from app.errors import CorruptMedia, NoCaptions, TooLong
from app.models.jobs import Chunk, Job, JobEvent, JobStage
from app.models.messages import Message, Outbox
from app.models.videos import Segment, Video
from app.services import captions, claims, intake, media, transcripts
from app.services.intake import Request
from app.source_errors import NoFormats
from app.stages import NAMES
from app.values import Captions, Chapter, Media, Wish, Word
from tests.integration import work
from tests.youtube import YouTube, captioned

LIMITS = DownloadLimits(max_duration_s=600, max_bytes=10_000_000, timeout_s=60)
LINES = ("Elephants remember their friends.", "They cross the river.")
URL = "https://www.youtube.com/watch?v=video000001"
WRITTEN = Captions("captions:owner:en", "en", (Word("Elephants", 0.0, 1.0, 1.0), Word("win.", 1.0, 2.0, 1.0)))
DESCRIBED = Media(None, "youtube", "video000001", "At the zoo", URL, duration_s=12.0, captions=WRITTEN)


def download(directory: Path, mode: str, **limits: float) -> Media:
    source = YtDlp(DownloadLimits(**{**vars(LIMITS), **limits}), ("127.0.0.1",))
    return source.download(URL, directory, wish=Wish(mode), on_progress=lambda _fraction: None)


@pytest.fixture
def job_id(house: Config) -> str:
    return intake.accept(Request(owner="ada", url=URL, name="Elephants")).job.id


def store(job_id: str) -> None:
    work.take(job_id, "download")
    captions.store(job_id, DESCRIBED, WRITTEN)


def states(job_id: str) -> dict[str, str]:
    rows = JobStage.select().where(JobStage.job == job_id).order_by(JobStage.position)
    return {row.name: row.state for row in rows}


def test_the_owners_captions_come_at_once_and_no_sound_is_asked_for(youtube: YouTube, tmp_path: Path) -> None:
    youtube.videos = [captioned(1, LINES)]
    youtube.save()

    found = download(tmp_path / "job", "auto")

    assert found.captions
    assert found.captions.source == "captions:owner:en"
    assert " ".join(word.text for word in found.captions.words) == " ".join(LINES)
    assert found.captions.words[4].start_s == 6.0
    assert found.path is None
    assert not youtube.asked("/videoplayback")
    assert len(youtube.asked("/watch")) == 1


def test_what_the_owner_says_of_the_video_is_kept(youtube: YouTube, tmp_path: Path) -> None:
    youtube.videos = [captioned(1, LINES)]
    youtube.save()

    found = download(tmp_path / "job", "auto")

    assert (found.title, found.channel, found.duration_s) == ("Talk 1", "The Zoo", 12)
    assert found.published_on == date(2024, 5, 6)
    assert found.description
    assert found.description.startswith("All about bees.")
    assert found.tags == ("bees", "zoo")
    assert found.chapters[1] == Chapter("The queen", 5, 9)
    assert found.thumbnail_url


@pytest.mark.parametrize(("mode", "kind"), [("auto", "asr"), ("asr", "")])
def test_sound_comes_where_captions_do_not_serve_or_are_not_wanted(
    youtube: YouTube, tmp_path: Path, mode: str, kind: str
) -> None:
    youtube.videos = [captioned(1, LINES, kind=kind)]
    youtube.save()

    found = download(tmp_path / "job", mode)

    assert found.captions is None
    assert found.path
    assert found.path.read_bytes() == youtube.sound.read_bytes()
    assert len(youtube.asked("/watch")) == 1


def test_captions_serve_though_the_source_keeps_its_files_back(youtube: YouTube, tmp_path: Path) -> None:
    youtube.videos = [captioned(1, LINES)]
    youtube.answer = "no_files"
    youtube.save()

    found = download(tmp_path / "job", "auto")

    assert found.captions
    assert found.title == "Talk 1"
    with pytest.raises(NoFormats):
        download(tmp_path / "other", "asr")
    youtube.videos[0].tracks.clear()
    youtube.save()
    with pytest.raises(NoFormats):
        download(tmp_path / "other", "auto")


def test_what_the_source_heard_itself_is_taken_only_when_asked_for(youtube: YouTube, tmp_path: Path) -> None:
    youtube.videos = [captioned(1, LINES, kind="asr")]
    youtube.save()

    found = download(tmp_path / "job", "captions")

    assert found.captions
    assert found.captions.source == "captions:auto:en"


def test_captions_alone_that_are_not_there_fail_the_job_and_a_long_video_is_refused_with_them_too(
    youtube: YouTube, tmp_path: Path
) -> None:
    youtube.videos = [captioned(1, LINES, seconds=300)]
    youtube.videos[0].tracks.clear()
    youtube.save()

    with pytest.raises(NoCaptions):
        download(tmp_path / "job", "captions")
    with pytest.raises(TooLong):
        download(tmp_path / "job", "auto", max_duration_s=100)


def test_a_job_with_captions_skips_the_recogniser_and_goes_on_with_segments(job_id: str) -> None:
    store(job_id)

    skipped = dict.fromkeys(("extract_audio", "transcribe"), "skipped")
    assert states(job_id) == {**dict.fromkeys(NAMES, "pending"), "download": "completed", **skipped}
    assert Outbox.select().where(Outbox.actor == "segment").count() == 1
    assert Message.select().where(Message.queue == "extract_audio").count() == 0
    assert [word.text for word in transcripts.words_of(job_id)] == ["Elephants", "win."]
    told = [event.payload["stage"] for event in JobEvent.select() if event.payload.get("status") == "skipped"]
    assert told == ["extract_audio", "transcribe"]


def test_the_transcript_says_whose_captions_it_was_made_of(api: FlaskClient, job_id: str) -> None:
    store(job_id)
    work.do(job_id, "segment", "embed", "index")

    video = Video.get()
    answer = api.get(f"/api/videos/{video.id}/transcript").get_json()
    assert (answer["source"], answer["language"]) == ("captions:owner:en", "en")
    assert api.get(f"/api/videos/{video.id}").get_json()["transcript_source"] == "captions:owner:en"
    assert Job.get_by_id(job_id).state == "completed"
    assert Job.get_by_id(job_id).progress == 100


@pytest.mark.parametrize(
    ("wanted", "first"), [(None, "segment"), ("segment", "segment"), ("transcribe", "download")]
)
def test_a_job_with_captions_is_done_again_from_what_it_has(
    api: FlaskClient, job_id: str, wanted: str | None, first: str
) -> None:
    store(job_id)
    claims.give_up(work.take(job_id, "segment"), CorruptMedia("broken"), "trace")

    body = {"from_stage": wanted} if wanted else {}
    answer = api.post(f"/api/jobs/{job_id}/retry", json=body).get_json()

    assert answer["from_stage"] == first
    work.do(job_id, *NAMES[NAMES.index(first) :])
    assert Job.get_by_id(job_id).state == "completed"


def test_until_a_better_transcript_is_whole_the_earlier_one_is_shown(job_id: str) -> None:
    store(job_id)
    work.do(job_id, "segment", "embed", "index")
    better = intake.accept(Request(owner="ada", url=URL, name="Elephants", mode="asr")).job
    before = (Video.get().revision, Video.get().transcript_source)

    work.take(better.id, "download")
    media.store_media(better.id, DESCRIBED, "key")
    work.do(better.id, "extract_audio", "transcribe", "segment", "embed")

    assert (Video.get().revision, Video.get().transcript_source) == before
    work.do(better.id, "index")
    assert Video.get().transcript_source == "whisper-small"
    assert {segment.revision for segment in Segment.select()} == {Video.get().revision}


def test_the_description_of_a_video_can_be_read(api: FlaskClient, job_id: str) -> None:
    work.take(job_id, "download")
    told = {"description": "Bees.", "tags": ("bees",), "chapters": (Chapter("The hive", 0.0, 5.0),)}
    described = Media(**{**vars(DESCRIBED), **told})

    captions.store(job_id, described, WRITTEN)
    work.do(job_id, "segment", "embed", "index")

    answer = api.get(f"/api/videos/{Video.get().id}").get_json()
    assert (answer["description"], answer["tags"]) == ("Bees.", ["bees"])
    assert answer["chapters"] == [{"title": "The hive", "start_s": 0.0, "end_s": 5.0}]
    assert Chunk.get().recogniser == "captions:owner:en"
