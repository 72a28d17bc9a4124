"""Every panel of the dashboards drawn from a live Prometheus, on one page: a look, not a second Grafana."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from deploy.tools import charts
from deploy.tools.charts import Line, Point
from deploy.tools.dashboards import BOARDS
from deploy.tools.panels import Board, Panel

POINTS = 240
RATE_INTERVAL_S = 20

AskRange = Callable[..., list[dict[str, Any]]]
"""(query, start=, end=, step=) -> series as Prometheus answers them."""


@dataclass(frozen=True)
class Window:
    """The time that is looked at, and who answers."""

    ask_range: AskRange
    start: float
    end: float

    @property
    def step(self) -> float:
        """Seconds between two points; whole ones, as Prometheus is asked once a second."""
        return max(1.0, float(math.ceil((self.end - self.start) / POINTS)))

    def series(self, query: str) -> list[tuple[dict[str, str], list[Point]]]:
        """Labels and finite points of each series that the query finds."""
        asked = query.replace("$__rate_interval", f"{RATE_INTERVAL_S}s").replace(
            "$__range", f"{math.ceil(self.end - self.start)}s"
        )
        found = self.ask_range(asked, start=self.start, end=self.end, step=self.step)
        pairs = ((one["metric"], [(float(at), float(value)) for at, value in one["values"]]) for one in found)
        finite = (
            (labels, [point for point in points if math.isfinite(point[1])]) for labels, points in pairs
        )
        return [(labels, points) for labels, points in finite if points]


@dataclass(frozen=True)
class Drawn:
    """One panel with what it found."""

    panel: Panel
    lines: list[Line]
    svg: Markup

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Colour, legend, newest and greatest value of each line."""
        colours = charts.COLOURS
        return [
            (
                colours[n % len(colours)],
                line.legend,
                charts.shown(line.last, self.panel.unit),
                charts.shown(line.most, self.panel.unit),
            )
            for n, line in enumerate(self.lines)
        ]


def drawn(window: Window) -> list[tuple[Board, list[Drawn]]]:
    """Every board with its panels."""
    return [(board, [_draw(panel, window) for panel in board.panels]) for board in BOARDS]


def empty(boards: list[tuple[Board, list[Drawn]]]) -> list[str]:
    """The panels that found nothing."""
    return [
        f"{board.title}: {one.panel.title}" for board, panels in boards for one in panels if not one.lines
    ]


def page(
    boards: list[tuple[Board, list[Drawn]]], window: Window, *, told: list[dict[str, Any]], about: str
) -> str:
    """The page; told: the alerts that came to the webhook."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return environment.get_template("monitor.html").render(
        boards=boards,
        alerts=Markup(charts.timeline(_alerts(window), start=window.start, end=window.end)),  # noqa: S704  # escaped there
        told=told,
        about=about,
        began=charts.clock_time(window.start),
        took=charts.shown(window.end - window.start, "s"),
        empty=empty(boards),
    )


def _draw(panel: Panel, window: Window) -> Drawn:
    lines = [
        Line(_legend(template, labels), points)
        for template, query in panel.queries.items()
        for labels, points in window.series(query)
    ]
    svg = charts.chart(
        lines, panel.unit, start=window.start, end=window.end, step=window.step, stacked=panel.stacked
    )
    return Drawn(panel, lines, Markup(svg))  # noqa: S704  # charts escapes what it is given


def _legend(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), template)


def _alerts(window: Window) -> list[charts.Span]:
    found = []
    for labels, points in window.series('ALERTS{alertname!="Watchdog"}'):
        more = [
            value for name, value in sorted(labels.items()) if name in ("queue", "stage", "job", "source")
        ]
        name = " ".join([labels["alertname"], *more])
        found += charts.spans_of(name, labels["alertstate"], points, window.step)
    return sorted(found, key=lambda span: (span.start, span.name))
