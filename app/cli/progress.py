"""Progress bars of a job, one a stage."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from app.schemas import JobStatusAnswer


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
