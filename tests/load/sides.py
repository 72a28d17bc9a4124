"""The two sides of the end-to-end benchmark, each a process that has its models loaded."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.schemas import JobStatusAnswer
from app.services import transcripts
from app.stages import FAN_OUT
from tests.up import ROOT, Up

SELDOM_S, OFTEN_S = 0.5, 0.05


class Ours:
    """A `ytrag up`; the models' work is hidden in it."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.pid = up.process.pid

    def run(self, url: str) -> dict[str, float]:
        """Ingest the recording: seconds from the POST to the end as the status tells it, and by stage."""
        began = time.perf_counter()
        status = await_end(self.up, self.up.client.submit(url, force=True).job_id)
        whole_s = time.perf_counter() - began
        self.job_id = status.job_id
        stages = stages_s(status)
        return {"all": whole_s, **stages, "between": whole_s - sum(stages.values())}

    def texts(self) -> list[str]:
        """What the last job embedded: each passage, followed by its sentences."""
        segments = transcripts.segments_of(self.job_id)
        return [
            text
            for passage, segment in zip(transcripts.indexed_texts(segments), segments, strict=True)
            for text in (passage, *(sentence[0] for sentence in segment.sentences))
        ]


def await_end(up: Up, job_id: str) -> JobStatusAnswer:
    """The job's status once it is completed."""
    while not (status := up.client.status(job_id)).finished_at:
        # Answering takes the models' processor time: ask often only when the end is near.
        time.sleep(SELDOM_S if status.current_stage == FAN_OUT else OFTEN_S)
    if status.status != "completed":
        raise RuntimeError(f"The job {status.status}: {status.error}")
    return status


def stages_s(status: JobStatusAnswer) -> dict[str, float]:
    """Seconds from each stage's start to its end; time in a queue before it is not in it."""
    return {
        stage.name: (stage.finished_at - stage.started_at).total_seconds()
        for stage in status.stages
        if stage.started_at and stage.finished_at
    }


class Answering:
    """A module that loads what it needs and then answers each line, for as long as the block runs."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self.process.pid
        self.ready = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def ask(self, order: object) -> dict[str, Any]:
        """Its answer to the order; both are JSON."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return dict(self._answer())

    def _answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("The bare process died; it has said why above.")
        return json.loads(line)


class Bare(Answering):
    """tests/load/bare.py with the settings of the other side."""

    def __init__(self, up: Up) -> None:
        super().__init__("tests.load.bare", up.environment)
        self.threads: dict[str, int] = self.ready

    def run(self, audio: Path, texts: list[str]) -> dict[str, float]:
        """Recognise the recording and embed the texts: seconds, whole and by part."""
        return self.ask({"audio": str(audio), "texts": texts})
