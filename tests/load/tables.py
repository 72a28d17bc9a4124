"""Figures as Markdown."""

from collections.abc import Sequence
from statistics import median


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table, numbers to the right."""
    lines = [list(map(str, row)) for row in (heads, *rows)]
    lines.insert(1, ["---", *("---:" for _ in heads[1:])])
    return [f"| {' | '.join(line)} |" for line in lines]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median (least–most)."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"
