"""Server-sent events: ordered, whole across a reconnect, bounded, and only for those whose jobs they are."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app import config
from app.config import Config
from app.models import schema
from app.models.jobs import Job, JobEvent
from app.services import claims, events, feed, jobs, keys, listeners, streams
from app.services.feed import Feed
from app.services.listeners import Listener
from app.source_errors import VideoUnavailable
from app.web.application import create_app
from tests.integration import work

URL = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


def submit(api: FlaskClient, video: str = "jNQXAC9IVRw", **how: object) -> str:
    body = {"url": f"https://www.youtube.com/watch?v={video}"}
    return str(api.post("/api/videos/process", json=body, **how).get_json()["job_id"])


def parse(text: str) -> list[tuple[str, str, dict[str, object]]]:
    """Id, kind and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "id" in fields:
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


class Following:
    """A listener on a thread of its own, whose events are read as they come."""

    def __init__(self, api: FlaskClient, path: str, **headers: str) -> None:
        self.answer = api.get(path, headers=headers)
        self.text = ""
        self.come = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        for part in self.answer.response:
            with self.come:
                self.text += part if isinstance(part, str) else part.decode()
                self.come.notify()
        self.answer.close()

    def events(self, count: int) -> list[tuple[str, str, dict[str, object]]]:
        """The first so many events, which come within seconds."""
        with self.come:
            assert self.come.wait_for(lambda: len(parse(self.text)) >= count, 10), self.text
        return parse(self.text)[:count]


@pytest.fixture(autouse=True)
def _all_leave(house: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no listener of a test see the next one's database."""
    monkeypatch.setattr(listeners, "POLL_S", 0.05)
    yield
    for listener in listeners.listeners._listening():
        listener.tell(None)
        listeners.listeners.remove(listener)
    if listeners.listeners.thread.ident is not None:
        listeners.listeners.thread.join()


def test_a_job_that_ended_is_told_whole_under_the_promised_names(api: FlaskClient) -> None:
    job = submit(api)
    work.complete(job)

    answer = api.get(f"/api/jobs/{job}/events")
    told = parse(answer.get_data(as_text=True))

    assert answer.mimetype == "text/event-stream"
    assert {id_.split(":")[0] for id_, _, _ in told} == {job}
    assert [int(id_.split(":")[1]) for id_, _, _ in told] == list(range(1, len(told) + 1))
    kinds = [kind for _, kind, _ in told]
    assert (kinds[0], kinds[-1]) == ("pending", "completed")
    progress = next(data for _, kind, data in told if kind == "progress")
    assert progress.keys() == {
        *("job_id", "status", "overall_progress", "current_stage", "message", "timestamp")
    }
    done = told[-1][2]
    assert done.keys() == {"job_id", "video_id", "video_title", "completed_at", "processing_time_s", "stats"}
    assert done["stats"] == {"total_segments": 1, "total_embeddings": 2, "video_duration_s": 60.0}


def test_a_stream_goes_on_behind_the_last_event_id_and_then_with_what_happens(api: FlaskClient) -> None:
    job = submit(api)
    work.do(job, "download", "extract_audio")
    begun = Following(api, f"/api/jobs/{job}/events").events(5)

    again = Following(api, f"/api/jobs/{job}/events", **{"Last-Event-ID": begun[-1][0]})
    work.do(job, "transcribe", "segment", "embed", "index")
    again.thread.join(10)

    sequence = [int(id_.split(":")[1]) for id_, _, _ in begun + parse(again.text)]
    assert sequence == list(range(1, len(sequence) + 1))
    assert sequence[-1] == Job.get_by_id(job).event_seq
    after = api.get(f"/api/jobs/{job}/events", headers={"Last-Event-ID": f"{job}:{sequence[-1]}"})
    assert after.status_code == 204


def test_a_failure_tells_its_attempt_and_whether_it_can_be_tried_again(api: FlaskClient) -> None:
    job = submit(api)
    claim = work.take(job, "download")
    claims.give_up(claim, VideoUnavailable("It is private."), "trace")

    told = parse(api.get(f"/api/jobs/{job}/events").get_data(as_text=True))[-1]

    assert told[1] == "failed"
    assert told[2] | {"failed_at": ""} == {
        "job_id": job,
        "error_code": "video_unavailable",
        "error_message": "It is private.",
        "can_retry": False,
        "failed_at": "",
        "retry_count": 0,
        "attempt": 1,
    }


def test_all_of_ones_jobs_are_told_and_nobody_elses(settings: Config) -> None:
    production = replace(settings, env="production")
    schema.open_database(config.use(production))
    ada, bob = ({"Authorization": f"Bearer {keys.create(name)}"} for name in ("ada", "bob"))
    api = create_app(production).test_client()
    following = Following(api, "/api/events", **ada)

    other = submit(api, "aaaaaaaaaaa", headers=bob)
    first, second = (submit(api, video, headers=ada) for video in ("bbbbbbbbbbb", "ccccccccccc"))
    jobs.cancel(other, None)
    jobs.cancel(first, None)
    told = following.events(3)
    resumed = Following(api, "/api/events", **ada, **{"Last-Event-ID": told[0][0]}).events(2)

    assert [(id_, kind) for id_, kind, _ in told] == [
        (f"{first}:1", "pending"),
        (f"{second}:1", "pending"),
        (f"{first}:2", "cancelled"),
    ]
    assert resumed == told[1:]
    assert api.get(f"/api/jobs/{first}/events", headers=bob).status_code == 404


@pytest.mark.parametrize("last", ["nonsense", f"{'0' * 26}:1", ":", "x:y"])
def test_a_last_event_id_that_is_none_of_the_jobs_is_refused(api: FlaskClient, last: str) -> None:
    job = submit(api)

    answer = api.get(f"/api/jobs/{job}/events", headers={"Last-Event-ID": last})

    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_input")


def test_one_listener_too_many_is_turned_away_and_a_place_is_given_back(settings: Config) -> None:
    few = replace(settings, event_listeners=1)
    api = create_app(config.use(few)).test_client()
    job = submit(api)
    first = api.get(f"/api/jobs/{job}/events")

    refused = api.get(f"/api/jobs/{job}/events")
    first.close()
    later = api.get(f"/api/jobs/{job}/events")

    assert (refused.status_code, refused.get_json()["code"]) == (503, "too_many_listeners")
    assert refused.headers["Retry-After"] == "10"
    assert later.status_code == 200
    later.close()


def test_a_listener_without_news_hears_heart_beats_until_its_time_is_up(
    settings: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    api = create_app(config.use(replace(settings, event_stream_s=0.3))).test_client()
    submit(api)

    text = api.get("/api/events").get_data(as_text=True)

    assert text.startswith(streams.HELLO)
    assert text.count(streams.HEARTBEAT) >= 2


def test_an_event_that_is_stored_late_is_told_before_those_with_higher_ids(
    api: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = submit(api, "aaaaaaaaaaa"), submit(api, "bbbbbbbbbbb")
    reader = Feed()
    late = reader.last + 1
    row = {"type": "stage", "payload": {}, "at": Job.get_by_id(first).created_at}
    JobEvent.insert(id=late + 1, job=second, seq=2, **row).execute()

    held = reader.read()
    JobEvent.insert(id=late, job=first, seq=2, **row).execute()
    told = [event.id for event in reader.read()]
    JobEvent.insert(id=late + 3, job=second, seq=3, **row).execute()
    reader.read()
    monkeypatch.setattr(feed, "HOLD_S", 0.0)
    given_up = [event.id for event in reader.read()]

    assert (held, told, given_up) == ([], [late, late + 1], [late + 3])


def test_a_slow_listener_is_let_go_and_misses_nothing_when_it_comes_again(
    api: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(api)
    listener = Listener(job_id=job)
    for number in range(listeners.WAITING + 1):
        listener.tell((feed.Told(number, job, "local", number, "stage", {}, Job.get().created_at), ""))

    assert listener.lost
    events.add(job, "stage", stage="download", status="running")
    jobs.cancel(job, None)
    told = parse(api.get(f"/api/jobs/{job}/events").get_data(as_text=True))
    assert [kind for _, kind, _ in told] == ["pending", "stage", "cancelled"]
