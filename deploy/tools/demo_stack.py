"""The demo through the production form: in containers where Docker answers, as processes here elsewhere.

`make demo-stack` sends the demo's talk as a file, for containers reach nothing but the internet, and compares
transcript and searches with its script. Containers stay; processes end, and what they stored with them.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping

from app.client import Client
from deploy.tools.compose import ROOT
from deploy.tools.demo import outcome, took_s
from deploy.tools.demo_report import Script, head, report, say
from deploy.tools.stack import JOB_TIMEOUT_S, TALK, Stack, StackFailed, guarded, run_once

COMPOSE = ["docker", "compose"]


def main() -> int:
    """Exit codes as of deploy.tools.stack."""
    if docker_answers():
        return guarded(in_containers, "docker compose logs")
    print("No Docker answers here: the same commands run as processes of this machine.", flush=True)
    if code := subprocess.call([ROOT / "deploy/services.sh", "up"]):
        return code
    folder = ROOT / "var/demo-stack"
    return guarded(lambda: run_once(folder, show), str(folder))


def docker_answers() -> bool:
    """Whether an engine and Compose are here."""
    try:
        return not any(
            subprocess.run(command, capture_output=True, timeout=30).returncode
            for command in (["docker", "info"], [*COMPOSE, "version"])
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def in_containers() -> None:
    """Make secrets and images, start all, and show it; it goes on running."""
    head("In containers")
    call("make", "secrets")
    call(*COMPOSE, "build")
    key = call(
        *COMPOSE, "run", "--rm", "api", "ytrag", "keys", "create", "demo", "--role", "admin", quiet=True
    )
    call(*COMPOSE, "up", "--detach", "--wait")
    server = f"http://127.0.0.1:{os.environ.get('API_PORT') or 8000}"
    with Client(server, key.split()[-1]) as client:
        ingest(client)
    say("goes on", f"at {server}; docker compose down ends it")


def call(*command: str, quiet: bool = False) -> str:
    """What the command prints; StackFailed if it fails."""
    say("run", " ".join(command))
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE if quiet else None, text=True)
    if done.returncode:
        raise StackFailed(f"{' '.join(command)} ended with exit code {done.returncode}.")
    return done.stdout or ""


def show(stack: Stack, _page: str) -> None:
    """The demo, on processes of this machine."""
    ingest(stack.client)


def ingest(client: Client) -> None:
    """Send the talk, and compare what comes of it with its script; StackFailed names the differences."""
    began = time.monotonic()
    job_id = client.upload(TALK / "talk.mp4", title="How to tell the time", force=True).job_id
    status = client.wait(job_id, timeout_s=JOB_TIMEOUT_S)
    head("Stages")
    times: Mapping[str, float] = {stage.name: took_s(stage) for stage in status.stages}
    for stage in status.stages:
        say(stage.name, outcome(stage, status) or stage.status)
    say("from POST on", f"{time.monotonic() - began:6.2f} s, with all waiting between them")
    if status.status != "completed":
        raise StackFailed(f"The job is {status.status}: {status.error}")
    script, video = Script.of(TALK), status.video_id or ""
    if complaints := report(client, video, work_s=times["transcribe"], script=script, own_query=""):
        raise StackFailed(*complaints)


if __name__ == "__main__":
    sys.exit(main())
