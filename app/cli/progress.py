"""Progress bars: of a job, one a stage, and of whatever can be counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from app.schemas import JobStatusAnswer


@contextmanager
def counting(
    console: Console, what: str, total: float | None, *, in_bytes: bool = False
) -> Iterator[Callable[[float], None]]:
    """A bar for as long as the block runs; what it yields is told how much more was done."""
    done = DownloadColumn() if in_bytes else MofNCompleteColumn()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), done, TimeRemainingColumn(), console=console
    ) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda more: bars.advance(bar, more)


class StageBars:
    """Draws where each stage stands for as long as the block runs."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description:14}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, TextColumn("{task.fields[note]}"), console=console)
        self._by_stage: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def update(self, status: JobStatusAnswer) -> None:
        """Show a newer status."""
        for stage in status.stages:
            if stage.name not in self._by_stage:
                self._by_stage[stage.name] = self._bars.add_task(stage.name, total=100, start=False, note="")
            bar = self._by_stage[stage.name]
            if stage.status == "running":
                self._bars.start_task(bar)
            note: str = "" if stage.status in ("pending", "running", "completed") else stage.status
            if stage.attempt > 1:
                note = f"{note} attempt {stage.attempt}".strip()
            self._bars.update(bar, completed=stage.progress, note=note)
