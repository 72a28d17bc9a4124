"""What a dashboard shows: each panel's question, queries and unit; the boards themselves are in boards/."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """One panel: queries by legend ({{label}} stands for the label's value), in Grafana's name of the unit.

    runbook: the alert that watches the same.
    """

    title: str
    about: str
    queries: Mapping[str, str]
    unit: str = "short"
    is_stat: bool = False
    stacked: bool = False
    runbook: str = ""


@dataclass(frozen=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    about: str
    panels: tuple[Panel, ...]


def stat(title: str, about: str, query: str, unit: str = "short", runbook: str = "") -> Panel:
    """A panel of one number."""
    return Panel(title, about, {title: query}, unit, is_stat=True, runbook=runbook)


def quantile(q: float, histogram: str, by: str = "", matchers: str = "") -> str:
    """A quantile of a histogram by a label."""
    labels, selected = f"le, {by}" if by else "le", f"{{{matchers}}}" if matchers else ""
    return (
        f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{selected}[$__rate_interval])))"
    )


def per_s(counter: str, by: str, matchers: str = "") -> str:
    """How fast a counter rises, a second, by a label."""
    selected = f"{counter}{{{matchers}}}" if matchers else counter
    return f"sum by ({by}) (rate({selected}[$__rate_interval]))"
