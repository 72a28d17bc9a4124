"""A typed client of the HTTP API, for programs and for the command line.

client = Client("http://127.0.0.1:8000")
job = client.submit("https://www.youtube.com/watch?v=jNQXAC9IVRw")
client.wait(job.job_id)
for hit in client.search("elephants").hits:
    print(hit.start_s, hit.text, hit.url)
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from app.action_schemas import BulkAnswer, RetryAnswer, StatsAnswer
from app.errors import YtragError
from app.schedule_schemas import RunAnswer, ScheduleAnswer, SchedulePage
from app.schemas import (
    Accepted,
    JobPage,
    JobStatusAnswer,
    SearchAnswer,
    TranscriptAnswer,
    VideoPage,
)

DEFAULT_SERVER = "http://127.0.0.1:8000"
ENDED = ("completed", "failed", "cancelled")
A = TypeVar("A", bound=BaseModel)
TIMEOUT_S = 120.0
"""A first search may have to load a model."""


class ServerUnreachable(YtragError):
    """Nobody answers at the server's address."""

    code = "server_unreachable"
    hint = "Start the server with 'ytrag up', or name another one in YTRAG_SERVER."
    retryable = True


class RequestRefused(YtragError):
    """The server answered with a problem; code, detail and hint are the server's."""

    def __init__(self, status: int, code: str, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.hint = status, code, hint  # type: ignore[misc]  # this one's own


class Client:
    """Speaks to one server; server and key default to YTRAG_SERVER and YTRAG_API_KEY.

    Every method raises ServerUnreachable or RequestRefused.
    """

    def __init__(self, server: str | None = None, key: str | None = None) -> None:
        self.server = server or os.environ.get("YTRAG_SERVER") or DEFAULT_SERVER
        key = key or os.environ.get("YTRAG_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=self.server, headers=headers, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ready(self) -> None:
        """Return if the server can serve."""
        self._send("GET", "/readyz")

    def submit(self, url: str, *, idempotency_key: str | None = None, **wishes: Any) -> Accepted:
        """Have the video at the URL ingested; wishes are the other fields of POST /api/videos/process."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = {"url": url, **{name: wish for name, wish in wishes.items() if wish is not None}}
        return self._ask(Accepted, "POST", "/api/videos/process", json=body, headers=headers)

    def upload(self, path: Path, **wishes: Any) -> Accepted:
        """Have a media file ingested; wishes are the other fields of POST /api/videos/upload."""
        fields = {
            name: str(wish).lower() if isinstance(wish, bool) else wish for name, wish in wishes.items()
        }
        with path.open("rb") as file:
            files = {"file": (path.name, file)}
            sent = {name: value for name, value in fields.items() if value is not None}
            return self._ask(Accepted, "POST", "/api/videos/upload", data=sent, files=files)

    def status(self, job_id: str) -> JobStatusAnswer:
        """Where the job stands."""
        return self._ask(JobStatusAnswer, "GET", f"/api/jobs/{job_id}/status")

    def wait(
        self,
        job_id: str,
        *,
        on_status: Callable[[JobStatusAnswer], None] | None = None,
        every_s: float = 0.5,
        timeout_s: float = float("inf"),
    ) -> JobStatusAnswer:
        """Ask until the job has ended and return its last status; TimeoutError after timeout_s."""
        give_up = time.monotonic() + timeout_s
        while True:
            status = self.status(job_id)
            if on_status:
                on_status(status)
            if status.status in ENDED:
                return status
            if time.monotonic() > give_up:
                raise TimeoutError(f"Job {job_id} is {status.status} after {timeout_s:.0f} s.")
            time.sleep(every_s)

    def cancel(self, job_id: str) -> None:
        """Stop the job."""
        self._send("DELETE", f"/api/jobs/{job_id}")

    def retry(self, job_id: str, *, from_stage: str | None = None) -> RetryAnswer:
        """Have a job that has ended done again, from this stage on; by default from the one that failed."""
        body = _given({"from_stage": from_stage})
        return self._ask(RetryAnswer, "POST", f"/api/jobs/{job_id}/retry", json=body)

    def bulk(
        self, action: str, *, dry_run: bool = False, cursor: str | None = None, **filters: Any
    ) -> BulkAnswer:
        """Cancel or retry many jobs; filters as of GET /api/jobs."""
        body = {"action": action, "filter": _given(filters), "dry_run": dry_run, **_given({"cursor": cursor})}
        return self._ask(BulkAnswer, "POST", "/api/jobs/bulk", json=body)

    def stats(self) -> StatsAnswer:
        """How many jobs there are in each state, and how many servers and schedules."""
        return self._ask(StatsAnswer, "GET", "/api/jobs/stats")

    def jobs(self, **query: Any) -> JobPage:
        """A page of jobs, newest first; query as of GET /api/jobs."""
        return self._ask(JobPage, "GET", "/api/jobs", params=_given(query))

    def videos(self, **query: Any) -> VideoPage:
        """A page of videos, newest first; query as of GET /api/videos."""
        return self._ask(VideoPage, "GET", "/api/videos", params=_given(query))

    def delete_video(self, video_id: str) -> None:
        """Forget a video with all that belongs to it."""
        self._send("DELETE", f"/api/videos/{video_id}")

    def transcript(self, video_id: str) -> TranscriptAnswer:
        """All that is said in the video, with times."""
        return self._ask(TranscriptAnswer, "GET", f"/api/videos/{video_id}/transcript")

    def export(self, video_id: str, form: str) -> str:
        """The transcript as srt, vtt, txt or json text."""
        return self._send("GET", f"/api/videos/{video_id}/transcript", params={"format": form}).text

    def search(self, q: str, **query: Any) -> SearchAnswer:
        """Sentences that answer the question, best first; query as of GET /api/search."""
        return self._ask(SearchAnswer, "GET", "/api/search", params={"q": q, **_given(query)})

    def schedules(self, **query: Any) -> SchedulePage:
        """A page of schedules, newest first; query as of GET /api/schedules."""
        return self._ask(SchedulePage, "GET", "/api/schedules", params=_given(query))

    def put_schedule(self, name: str, **wishes: Any) -> ScheduleAnswer:
        """Add the schedule of that name or update it; wishes are the other fields of PUT /api/schedules."""
        return self._ask(ScheduleAnswer, "PUT", "/api/schedules", json={"name": name, **_given(wishes)})

    def schedule(self, schedule_id: str) -> ScheduleAnswer:
        """One schedule."""
        return self._ask(ScheduleAnswer, "GET", f"/api/schedules/{schedule_id}")

    def enable_schedule(self, schedule_id: str, *, enabled: bool = True) -> ScheduleAnswer:
        """Let the schedule fire, or not any more."""
        return self._ask(ScheduleAnswer, "PATCH", f"/api/schedules/{schedule_id}", json={"enabled": enabled})

    def run_schedule(self, schedule_id: str) -> RunAnswer:
        """Do at once what the schedule does."""
        return self._ask(RunAnswer, "POST", f"/api/schedules/{schedule_id}/run")

    def delete_schedule(self, schedule_id: str) -> None:
        """Forget the schedule; the jobs that it started stay."""
        self._send("DELETE", f"/api/schedules/{schedule_id}")

    def _ask(self, kind: type[A], method: str, path: str, **how: Any) -> A:
        return kind.model_validate_json(self._send(method, path, **how).content)

    def _send(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **how)
        except httpx.TransportError as error:
            raise ServerUnreachable(f"No answer from {self.server}: {error}.") from error
        if response.is_error:
            raise _refusal(response)
        return response


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _refusal(response: httpx.Response) -> RequestRefused:
    try:
        problem = response.json()
        return RequestRefused(response.status_code, problem["code"], problem["detail"], problem["hint"])
    except (ValueError, KeyError, TypeError):
        text = f"The server answered {response.status_code} {response.reason_phrase}."
        return RequestRefused(response.status_code, "unknown", text, "Is this a youtube-rag server?")
