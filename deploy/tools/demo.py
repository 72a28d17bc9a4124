"""From a video to an answer on this machine, by the real program, and checked against what is really said.

`make demo` takes a talk of 160 s that the project made itself, on a web page of its own; it exits with 0 only
when transcript and searches are right. `make demo URL=…` and `make demo FILE=…` show another video, with
searches from its transcript or with QUERY=…; KEEP=1 leaves page and program open until Ctrl-C.
"""

import argparse
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from app.client import Client
from app.config import Config
from app.engines.weights import HUB_TIMEOUT_S, hub_is_reachable
from app.errors import YtragError
from app.schemas import JobStatusAnswer, StageAnswer
from deploy.tools.demo_report import Script, head, out, report, say
from tests.up import Up
from tests.webserver import WebServer

MARK = ".emptied-by-make-demo"
KEPT = (MARK, "models", "ytrag.lock")
MODELS = ("WHISPER_MODEL", "EMBEDDING_MODEL")
USERS_OWN = (*MODELS, "WHISPER_DEVICE", "WHISPER_COMPUTE_TYPE", "COOKIES_FILE", "PROXY")
"""Settings in the environment that hold here too; all others are the demo's."""

WORK = {
    "download": "yt-dlp fetches the sound",
    "extract_audio": "to 16 kHz mono",
    "transcribe": "speech to words; loads the recogniser first",
    "segment": "words to sentences and passages",
    "embed": "passages to vectors; loads the embedder first",
    "index": "into the search index",
}


class DemoFailed(Exception):
    """What is not as it should be, a line each."""


def main() -> int:
    """Exit code: 0 all is as it should be, 1 it is not, 2 wrong usage, 130 stopped."""
    wishes = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        run(wishes)
    except KeyboardInterrupt:
        head("Stopped")
        return 130
    except (DemoFailed, YtragError) as error:
        lines = [f"{error.code}: {error.detail}", error.hint] if isinstance(error, YtragError) else error.args
        head("[red]The demo failed")
        for line in (*lines, f"The program's log: {wishes.data / 'up.log'}"):
            out.print(f"  {escape(line)}")
        return 1
    return 0


def arguments() -> argparse.Namespace:
    """Read the command line; a file that is not there is wrong usage."""
    parser = argparse.ArgumentParser(prog="make demo", description="From a video to an answer.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--url", help="a video on YouTube instead of the talk")
    source.add_argument("--file", type=Path, help="a media file instead of the talk")
    parser.add_argument("--query", default="", help="a search of your own")
    parser.add_argument("--keep", action="store_true", help="leave page and program open until Ctrl-C")
    parser.add_argument("--talk", type=Path, default=Path("tests/fixtures/talk"), help="the talk's folder")
    parser.add_argument("--data", type=Path, default=Path("var/demo"), help="folder to empty and work in")
    wishes = parser.parse_args()
    if wishes.file and not wishes.file.is_file():
        parser.error(f"there is no file {str(wishes.file)!r}")
    return wishes


def run(wishes: argparse.Namespace) -> None:
    """Set everything up, show it and take it down; DemoFailed and YtragError say what went wrong."""
    began, is_talk = time.monotonic(), not (wishes.url or wishes.file)
    head("youtube-rag: from a video to an answer, on this machine")
    settings = chosen_models() | {"ALLOWED_SOURCES": "127.0.0.1" if is_talk else ""}
    empty(wishes.data)
    with ExitStack() as stack:
        page = stack.enter_context(WebServer(wishes.talk)) if is_talk else None
        client = stack.enter_context(program(wishes.data, settings))
        status = ingest(client, wishes, page)
        complaints = report(
            client,
            status.video_id or "",
            work_s=next(took_s(stage) for stage in status.stages if stage.name == "transcribe"),
            script=Script.of(wishes.talk) if page else Script(),
            own_query=wishes.query,
        )
        if page and any(path.endswith(".vtt") for path in page.requests):
            complaints.append("The subtitle track was fetched, though only the sound should count.")
        if complaints:
            raise DemoFailed(*complaints)
        head(f"[green]Done in {time.monotonic() - began:.0f} s; all is as it should be")
        go_on(client, wishes, page, settings)


def chosen_models() -> dict[str, str]:
    """The user's own settings; a model that they leave open is the packaged one where no hub answers."""
    settings = {name: os.environ.get(f"YTRAG_{name}", "") for name in USERS_OWN}
    unset = [name for name in MODELS if not settings[name]]
    if not unset:
        say("models", "as the environment says: " + " and ".join(settings[name] for name in MODELS))
        return settings
    with out.status("asking the model hub"):
        online = hub_is_reachable(HUB_TIMEOUT_S)
    if online:
        names = " and ".join(str(getattr(Config(), name.lower())) for name in unset)
        say("models", f"{names} of the model hub (up to 0.6 GB when first used)")
        return settings
    say("models", f"the packaged weights, because the model hub did not answer within {HUB_TIMEOUT_S:g} s")
    return settings | dict.fromkeys(unset, "packaged")


def empty(folder: Path) -> None:
    """Leave nothing but assembled models, so that no earlier run shows in this one."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / MARK).exists():
        raise DemoFailed(f"{folder} holds what is not the demo's; move it away, or name another folder.")
    (folder / MARK).touch()
    with (folder / "ytrag.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(
                f"Another demo, or a program that it left, works in {folder}: stop it."
            ) from None
        for entry in folder.iterdir():
            if entry.name not in KEPT:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@contextmanager
def program(data: Path, settings: dict[str, str]) -> Iterator[Client]:
    """Run `ytrag up` on loopback for as long as the block runs."""
    began, up = time.monotonic(), Up(data, **settings)
    try:
        try:
            up.start()
        except RuntimeError as error:  # its text ends with the log's last lines
            raise DemoFailed(*str(error).strip().splitlines()[-8:]) from error
        say("program", f"ytrag up at {up.client.server}, ready in {time.monotonic() - began:.1f} s")
        yield up.client
    finally:
        up.stop()


def ingest(client: Client, wishes: argparse.Namespace, page: WebServer | None) -> JobStatusAnswer:
    """Submit the video and show its stages until it can be searched."""
    if page:
        say("web page", f"{page.url}/ with the talk as a video, and with a subtitle track")
    if wishes.file:
        accepted, how = client.upload(wishes.file), f"POST /api/videos/upload with {wishes.file.name}"
    else:
        url = f"{page.url}/" if page else wishes.url
        accepted, how = client.submit(url, mode="asr"), f"POST /api/videos/process with {url}"
        say("mode", "asr: only the sound counts; a subtitle track is ignored")
    say("submitted", f"{how}: job {accepted.job_id}")
    head("Stages")
    status = watch(client, accepted.job_id)
    if status.error:
        stage = next((stage.name for stage in status.stages if stage.status == "failed"), "the job")
        raise DemoFailed(f"{stage}: {status.error.code}: {status.error.detail}", status.error.hint)
    if status.status != "completed" or status.warning:
        raise DemoFailed(status.warning or f"The job was {status.status}.")
    say("all of them", f"{sum(map(took_s, status.stages)):6.2f} s")
    return status


def watch(client: Client, job_id: str) -> JobStatusAnswer:
    """Print a line as each stage ends and, on a terminal, a bar below them, until the job has ended."""
    columns = TextColumn("  {task.description:14}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    printed: set[str] = set()
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        whole = bar.add_task("waiting", total=100)

        def update(status: JobStatusAnswer) -> None:
            bar.update(whole, completed=status.progress, description=status.current_stage or "waiting")
            for stage in status.stages:
                text = outcome(stage, status)
                if text and stage.name + text not in printed:
                    printed.add(stage.name + text)
                    say(stage.name, text)

        return client.wait(job_id, on_status=update, every_s=0.2)


def outcome(stage: StageAnswer, job: JobStatusAnswer) -> str:
    """How the stage ended, or its last attempt; empty where there is nothing to tell yet."""
    if stage.status == "retrying" and stage.error and job.next_retry_at:
        why = f"{stage.error.code}: {stage.error.detail}"
        return f"attempt {stage.attempt} failed, again at {job.next_retry_at.astimezone():%X}: {why}"
    if stage.status == "skipped" and job.status not in ("failed", "cancelled"):
        return "     not needed"
    return f"{took_s(stage):6.2f} s  {WORK.get(stage.name, '')}" if stage.status == "completed" else ""


def took_s(stage: StageAnswer) -> float:
    """How long it took, 0 where it has not ended."""
    began, ended = stage.started_at, stage.finished_at
    return (ended - began).total_seconds() if began and ended else 0.0


def go_on(
    client: Client, wishes: argparse.Namespace, page: WebServer | None, settings: dict[str, str]
) -> None:
    """Say what to do next; with KEEP=1 stay, so that the links open and more can be asked."""
    if wishes.keep:
        head("Open until Ctrl-C")
        say("watch", "open the links above in a browser on this machine")
        say("search", f'in another terminal: YTRAG_SERVER={client.server} .venv/bin/ytrag search "…"')
        with suppress(KeyboardInterrupt):
            signal.pause()
        return
    packaged = "".join(f"YTRAG_{name}=packaged " for name in MODELS if settings[name] == "packaged")
    head("Go on")
    say("start", f"{packaged}.venv/bin/ytrag up")
    say("submit", ".venv/bin/ytrag submit https://www.youtube.com/watch?v=… --wait    # or a file")
    say("search", '.venv/bin/ytrag search "…"')
    if page:
        say("watch", "make demo KEEP=1    # leaves the page open, so that the links lead to their second")
    say("files", f"what this demo made is in {wishes.data}, until the next one; your own go to var")


if __name__ == "__main__":
    sys.exit(main())
