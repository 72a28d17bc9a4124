"""Curves and bars as SVG, as simple as a look needs them; colours and sizes of text are the page's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 560, 190
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 8, 20
COLOURS = (
    *("#3b7dd8", "#e07b1f", "#2e9d5b", "#c2417c", "#7d5fc9", "#1d9aa6"),
    *("#b58a00", "#d1483d", "#6b7f2a", "#8a6552"),
)
STEPS = (1, 2, 2.5, 5, 10)
BAR, GAP = 16, 6
NAMES_WIDTH = 250

Point = tuple[float, float]
"""Unix time and value."""


@dataclass(frozen=True)
class Line:
    """One series: its legend and its finite points."""

    legend: str
    points: list[Point]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]

    @property
    def most(self) -> float:
        """The greatest value."""
        return max((value for _, value in self.points), default=0.0)


@dataclass(frozen=True)
class Span:
    """From when to when something was so."""

    name: str
    state: str
    start: float
    end: float


@dataclass(frozen=True)
class Frame:
    """The plane that is drawn on: a time span and what the top stands for."""

    start: float
    end: float
    top: float
    step: float
    """Seconds between two points; what lies further apart is not joined."""

    def x(self, moment: float) -> float:
        """Where a moment is."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (moment - self.start) / (self.end - self.start)

    def y(self, value: float) -> float:
        """Where a value is; below zero is nothing."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * max(0.0, value) / self.top


def chart(
    lines: Sequence[Line], unit: str, *, start: float, end: float, step: float, stacked: bool = False
) -> str:
    """All lines over one another, or on top of one another."""
    drawn = _heaped(lines) if stacked else list(lines)
    frame = Frame(start, end, round_up(max((line.most for line in drawn), default=0.0)), step)
    body = "".join(_curve(line, COLOURS[n % len(COLOURS)], frame) for n, line in enumerate(drawn))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{_grid(frame, unit)}{body}</svg>'


def timeline(spans: Sequence[Span], *, start: float, end: float) -> str:
    """A row for each name, with a bar for each span in its state's colour."""
    names = list(dict.fromkeys(span.name for span in spans))
    height = len(names) * (BAR + GAP) + BOTTOM
    width = 2 * WIDTH

    def x(moment: float) -> float:
        return NAMES_WIDTH + (width - NAMES_WIDTH - RIGHT) * (moment - start) / (end - start)

    rows = "".join(
        f'<text x="0" y="{n * (BAR + GAP) + BAR - 4}">{escape(name)}</text>' for n, name in enumerate(names)
    )
    bars = "".join(
        f'<rect class="{span.state}" x="{x(span.start):.1f}" y="{names.index(span.name) * (BAR + GAP)}" '
        f'width="{max(2.0, x(span.end) - x(span.start)):.1f}" height="{BAR}" rx="3">'
        f"<title>{escape(span.name)}: {span.state} for {shown(span.end - span.start, 's')}</title></rect>"
        for span in spans
    )
    times = "".join(
        f'<text class="tick" text-anchor="{anchor}" x="{x(at):.1f}" y="{height - 4}">{clock_time(at)}</text>'
        for at, anchor in ((start, "start"), ((start + end) / 2, "middle"), (end, "end"))
    )
    return f'<svg viewBox="0 0 {width} {height}" role="img">{rows}{bars}{times}</svg>'


def shown(value: float, unit: str) -> str:
    """The value in Grafana's unit, as a person reads it."""
    match unit:
        case "percentunit":
            return f"{100 * value:.3g} %"
        case "s":
            return _seconds(value)
        case "bytes" | "Bps":
            power = min(4, int(math.log(value, 1024))) if value >= 1 else 0
            size = f"{value / 1024**power:.3g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
            return f"{size}/s" if unit == "Bps" else size
        case "ops" | "reqps":
            return f"{value:.3g}/s"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def clock_time(moment: float) -> str:
    """The time of day, UTC."""
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S}"


def round_up(value: float) -> float:
    """The next number that divides well into four; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in STEPS if step * power >= value * 0.9999)


def _seconds(value: float) -> str:
    if not value:
        return "0 s"
    for size, name in ((3600, "h"), (60, "min"), (1, "s")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{1000 * value:.3g} ms"


def _grid(frame: Frame, unit: str) -> str:
    parts = []
    for quarter in range(5):
        value = frame.top * quarter / 4
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        text = shown(value, unit) if value else "0"
        parts.append(
            f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{y + 4:.1f}">{escape(text)}</text>'
        )
    for moment, anchor in (
        (frame.start, "start"),
        ((frame.start + frame.end) / 2, "middle"),
        (frame.end, "end"),
    ):
        where = f'text-anchor="{anchor}" x="{frame.x(moment):.1f}" y="{HEIGHT - 5}"'
        parts.append(f'<text class="tick" {where}>{clock_time(moment)}</text>')
    return "".join(parts)


def _curve(line: Line, colour: str, frame: Frame) -> str:
    path, before = [], -math.inf
    for moment, value in line.points:
        joined = moment - before <= 1.5 * frame.step
        path.append(f"{'L' if joined else 'M'}{frame.x(moment):.1f} {frame.y(value):.1f}")
        before = moment
    lone = "h0" if len(path) == 1 else ""  # seen by the round cap of a line of no length
    title = f"<title>{escape(line.legend)}</title>"
    return f'<path class="curve" stroke="{colour}" d="{"".join(path)}{lone}">{title}</path>'


def _heaped(lines: Sequence[Line]) -> list[Line]:
    """Each line on top of those before it, where it is there at all."""
    below: dict[float, float] = {}
    heaped = []
    for line in lines:
        for moment, value in line.points:
            below[moment] = below.get(moment, 0.0) + value
        heaped.append(Line(line.legend, [(moment, below[moment]) for moment, value in line.points if value]))
    return heaped


def spans_of(name: str, state: str, points: Sequence[Point], step: float) -> list[Span]:
    """The spans in which there are points."""
    if not points:
        return []
    found, first = [], points[0][0]
    for (now, _), (after, _) in pairwise(points):
        if after - now > 1.5 * step:
            found.append(Span(name, state, first, now + step))
            first = after
    return [*found, Span(name, state, first, points[-1][0] + step)]
