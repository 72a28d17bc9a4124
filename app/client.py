"""A typed client of the HTTP API, for programs and for the command line.

with Client("http://127.0.0.1:8000", "ytrag_…") as client:
    job = client.submit("https://www.youtube.com/watch?v=jNQXAC9IVRw")
    for event in client.events(job.job_id):
        print(event.kind, event.data)
    for hit in client.search("elephants").hits:
        print(hit.start_s, hit.text, hit.url)
"""

import io
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.action_schemas import BulkAnswer, RetryAnswer, StatsAnswer
from app.batch_schemas import BatchAccepted, BatchDetailAnswer, BatchPage
from app.connection import DEFAULT_SERVER, Connection, RequestRefused, ServerUnreachable
from app.notices import Event, Notices
from app.schedule_schemas import RunAnswer, ScheduleAnswer, SchedulePage
from app.schemas import Accepted, JobPage, JobStatusAnswer, TranscriptAnswer, VideoDetailAnswer, VideoPage
from app.search_schemas import ContextAnswer, SearchAnswer
from app.source_schemas import SourceAnswer, SourcesAnswer

__all__ = ["DEFAULT_SERVER", "Client", "Event", "RequestRefused", "ServerUnreachable"]

ENDED = ("completed", "failed", "cancelled")


class Client(Notices):
    """Speaks to one server; server and key default to YTRAG_SERVER and YTRAG_API_KEY.

    Every method raises ServerUnreachable where nobody answers, and RequestRefused with the server's code,
    detail and hint where it says no. What is None is not sent: the server's default then holds.
    """

    def __init__(self, server: str | None = None, key: str | None = None) -> None:
        self._api = Connection(server, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.http.close()

    @property
    def server(self) -> str:
        """The server's address, without a slash at its end."""
        return self._api.server

    def ready(self) -> None:
        """Return if the server can serve."""
        self._api.send("GET", "/readyz")

    # Taking in

    def submit(
        self, url: str, *, mode: str | None = None, priority: str | None = None, language: str | None = None,
        run_at: datetime | str | None = None, delay_s: float | None = None, force: bool | None = None,
        idempotency_key: str | None = None, **wishes: Any,
    ) -> Accepted:  # fmt: skip
        """Have the video at the URL ingested; wishes are further fields of POST /api/videos/process."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = {
            "url": url,
            "mode": mode,
            "priority": priority,
            "language": language,
            "force": force,
            "run_at": run_at.isoformat() if isinstance(run_at, datetime) else run_at,
            "delay_s": delay_s,
            **wishes,
        }
        return self._api.ask(Accepted, "POST", "/api/videos/process", json=body, headers=headers)

    def upload(
        self, path: Path, *, title: str | None = None, priority: str | None = None,
        language: str | None = None, force: bool | None = None,
        on_sent: Callable[[int], None] | None = None, **wishes: Any,
    ) -> Accepted:  # fmt: skip
        """Have a media file ingested; on_sent is told how many more bytes of it were sent."""
        fields = {"title": title, "priority": priority, "language": language, "force": force, **wishes}
        sent = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in fields.items()
            if value is not None
        }
        with _Counted(path, on_sent) as file:
            files = {"file": (path.name, file)}
            return self._api.ask(Accepted, "POST", "/api/videos/upload", data=sent, files=files)

    def submit_batch(
        self, *, url: str | None = None, urls: Sequence[str] | None = None, **wishes: Any
    ) -> BatchAccepted:
        """Have many videos ingested; wishes are the other fields of POST /api/batches."""
        body = {"url": url, "urls": list(urls) if urls else None, **wishes}
        return self._api.ask(BatchAccepted, "POST", "/api/batches", json=body)

    def batch(self, batch_id: str, **query: Any) -> BatchDetailAnswer:
        """Where the batch stands, with a page of its jobs."""
        return self._api.ask(BatchDetailAnswer, "GET", f"/api/batches/{batch_id}", params=query)

    def batches(self, **query: Any) -> BatchPage:
        """A page of batches, newest first."""
        return self._api.ask(BatchPage, "GET", "/api/batches", params=query)

    # Sources

    def sources(self) -> SourcesAnswer:
        """All sources and whether downloads run."""
        return self._api.ask(SourcesAnswer, "GET", "/api/sources")

    def pause_source(self, source: str) -> SourceAnswer:
        """Let no job go to the source until it is resumed."""
        return self._api.ask(SourceAnswer, "POST", f"/api/sources/{source}/pause")

    def resume_source(self, source: str) -> SourceAnswer:
        """Let all jobs go to the source again."""
        return self._api.ask(SourceAnswer, "POST", f"/api/sources/{source}/resume")

    # Jobs

    def status(self, job_id: str) -> JobStatusAnswer:
        """Where the job stands."""
        return self._api.ask(JobStatusAnswer, "GET", f"/api/jobs/{job_id}/status")

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
        self._api.send("DELETE", f"/api/jobs/{job_id}")

    def retry(self, job_id: str, *, from_stage: str | None = None) -> RetryAnswer:
        """Have a job that has ended done again, from this stage on; by default from the one that failed."""
        return self._api.ask(
            RetryAnswer, "POST", f"/api/jobs/{job_id}/retry", json={"from_stage": from_stage}
        )

    def bulk(
        self, action: str, *, dry_run: bool = False, cursor: str | None = None, **filters: Any
    ) -> BulkAnswer:
        """Cancel or retry many jobs; filters as of GET /api/jobs."""
        wanted = {name: value for name, value in filters.items() if value is not None}
        body = {"action": action, "filter": wanted, "dry_run": dry_run, "cursor": cursor}
        return self._api.ask(BulkAnswer, "POST", "/api/jobs/bulk", json=body)

    def stats(self) -> StatsAnswer:
        """How many jobs there are in each state, and how many servers and schedules."""
        return self._api.ask(StatsAnswer, "GET", "/api/jobs/stats")

    def jobs(
        self, *, status: str | None = None, priority: str | None = None, video_id: str | None = None,
        error_code: str | None = None, q: str | None = None, limit: int | None = None,
        cursor: str | None = None, **query: Any,
    ) -> JobPage:  # fmt: skip
        """A page of jobs, newest first: those for which all that is given holds."""
        named = {"status": status, "priority": priority, "video_id": video_id, "error_code": error_code}
        params = {**named, "q": q, "limit": limit, "cursor": cursor, **query}
        return self._api.ask(JobPage, "GET", "/api/jobs", params=params)

    def active_jobs(self, *, limit: int | None = None, cursor: str | None = None) -> JobPage:
        """A page of the jobs that have not ended, newest first."""
        return self._api.ask(JobPage, "GET", "/api/jobs/active", params={"limit": limit, "cursor": cursor})

    # Videos

    def videos(self, *, limit: int | None = None, cursor: str | None = None) -> VideoPage:
        """A page of videos that can be read and searched, newest first."""
        return self._api.ask(VideoPage, "GET", "/api/videos", params={"limit": limit, "cursor": cursor})

    def video(self, video_id: str) -> VideoDetailAnswer:
        """One video, with all that its owner says of it."""
        return self._api.ask(VideoDetailAnswer, "GET", f"/api/videos/{video_id}")

    def delete_video(self, video_id: str) -> None:
        """Forget a video with all that belongs to it."""
        self._api.send("DELETE", f"/api/videos/{video_id}")

    def transcript(self, video_id: str) -> TranscriptAnswer:
        """All that is said in the video, with times."""
        return self._api.ask(TranscriptAnswer, "GET", f"/api/videos/{video_id}/transcript")

    def export(self, video_id: str, form: str) -> str:
        """The transcript as srt, vtt, txt or json text."""
        return self._api.send("GET", f"/api/videos/{video_id}/transcript", params={"format": form}).text

    # Search

    def search(
        self, q: str, *, mode: str | None = None, best_of_video: bool | None = None,
        context: int | None = None, limit: int | None = None, cursor: str | None = None,
        video_id: str | None = None, channel: str | None = None, language: str | None = None,
        since: date | str | None = None, until: date | str | None = None,
    ) -> SearchAnswer:  # fmt: skip
        """Sentences that answer the question, best first; cursor is next_cursor of the page before.

        best_of_video: no second hit of a video. context: passages on either side of each hit's own.
        """
        params = {
            "q": q,
            "mode": mode,
            "best_of_video": best_of_video,
            "context": context,
            "limit": limit,
            "cursor": cursor,
            "video_id": video_id,
            "channel": channel,
            "language": language,
            "since": _day(since),
            "until": _day(until),
        }
        return self._api.ask(SearchAnswer, "GET", "/api/search", params=params)

    def context(
        self, q: str, *, max_tokens: int | None = None, mode: str | None = None, video_id: str | None = None,
        channel: str | None = None, language: str | None = None, since: date | str | None = None,
        until: date | str | None = None,
    ) -> ContextAnswer:  # fmt: skip
        """What answers the question as one text for a language model's prompt, with numbered sources."""
        params = {
            "q": q,
            "max_tokens": max_tokens,
            "mode": mode,
            "video_id": video_id,
            "channel": channel,
            "language": language,
            "since": _day(since),
            "until": _day(until),
        }
        return self._api.ask(ContextAnswer, "GET", "/api/context", params=params)

    # Schedules

    def schedules(self, *, limit: int | None = None, cursor: str | None = None) -> SchedulePage:
        """A page of schedules, newest first."""
        params = {"limit": limit, "cursor": cursor}
        return self._api.ask(SchedulePage, "GET", "/api/schedules", params=params)

    def put_schedule(self, name: str, **wishes: Any) -> ScheduleAnswer:
        """Add the schedule of that name or update it; wishes are the other fields of PUT /api/schedules."""
        return self._api.ask(ScheduleAnswer, "PUT", "/api/schedules", json={"name": name, **wishes})

    def schedule(self, schedule_id: str) -> ScheduleAnswer:
        """One schedule."""
        return self._api.ask(ScheduleAnswer, "GET", f"/api/schedules/{schedule_id}")

    def enable_schedule(self, schedule_id: str, *, enabled: bool = True) -> ScheduleAnswer:
        """Let the schedule fire, or not any more."""
        path = f"/api/schedules/{schedule_id}"
        return self._api.ask(ScheduleAnswer, "PATCH", path, json={"enabled": enabled})

    def run_schedule(self, schedule_id: str) -> RunAnswer:
        """Do at once what the schedule does."""
        return self._api.ask(RunAnswer, "POST", f"/api/schedules/{schedule_id}/run")

    def delete_schedule(self, schedule_id: str) -> None:
        """Forget the schedule; the jobs that it started stay."""
        self._api.send("DELETE", f"/api/schedules/{schedule_id}")


def _day(day: date | str | None) -> str | None:
    return day.isoformat() if isinstance(day, date) else day


class _Counted(io.FileIO):
    """A file that tells how much of it is read."""

    def __init__(self, path: Path, on_read: Callable[[int], None] | None) -> None:
        super().__init__(path)
        self._on_read = on_read

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size) or b""
        if self._on_read:
            self._on_read(len(block))
        return block
