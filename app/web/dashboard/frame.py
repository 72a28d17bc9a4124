"""The frame around every page of the dashboard, and how values look in it."""

from functools import cache
from typing import TYPE_CHECKING, Any

from flask import g, request, url_for
from markupsafe import Markup

from app import config
from app.services import census, queues, repairs
from app.web import cookies
from app.web.dashboard.links import link
from app.web.dashboard.patience import SLOW, depths, is_slow, reading
from app.web.pages import filters

if TYPE_CHECKING:
    from app.web.dashboard.stock import Dashboard

LISTS = {
    "enqueued": ("pending",),
    "processing": ("running",),
    "scheduled": ("scheduled",),
    "retries": ("retrying",),
    "succeeded": ("completed",),
    "failed": ("failed",),
    "deleted": ("cancelled",),
}
"""The states of the jobs on each list."""
STRAYS = 10
"""So many messages that RabbitMQ set aside are shown."""


def render(template: str, **values: Any) -> str:
    """The page of a template, ours or a stock one."""
    page: str = dashboard().templates.get_template(template).render(**values)
    return page


def frame() -> dict[str, Any]:
    """What the frame shows, and what every template may ask for."""
    if "frame" not in g:
        g.frame = _frame()
    made: dict[str, Any] = g.frame
    return made


def _frame() -> dict[str, Any]:
    settings = config.current()
    caller = g.get("caller")
    is_admin = caller is not None and caller.role == "admin"
    told = depths() if is_admin else queues.Depths([], ())
    nav = _nav() if is_admin else []
    return {
        "title": settings.dashboard_title,
        "refresh_ms": round(settings.dashboard_refresh_s * 1000),
        "read_only": settings.read_only,
        "grafana": filters.web_address(settings.grafana_url),
        "signed_in": caller.owner if caller and not settings.is_open() else None,
        "nav": nav,
        "path": request.path,
        "trouble": [*told.trouble, *([SLOW] if is_slow() else [])],
        "slow": is_slow(),
        "strays": [depth for depth in told.queues if depth.strays],
    }


def _nav() -> list[tuple[str, str, int | None]]:
    """Addresses, names and counts of the pages."""
    counts = reading(lambda: census.jobs_by_state(None), instead=None)
    lists = [
        (
            link("jobs", name),
            name.capitalize(),
            None if counts is None else sum(counts.get(state, 0) for state in states),
        )
        for name, states in LISTS.items()
    ]
    others = [(link(name), name.capitalize(), None) for name in ("recurring", "servers", "audit")]
    return [(link(""), "Queues", None), *lists, *others]


def form_token() -> Markup:
    """The field that each form has to carry."""
    return Markup('<input type="hidden" name="form_token" value="{}">').format(cookies.form_token())


@cache
def dashboard() -> "Dashboard":
    """The stock application, loaded when its first page is asked for: it brings a client for Redis along."""
    from app.web.dashboard.stock import Dashboard

    made = Dashboard()
    made.templates.filters.update(filters.FILTERS)
    made.templates.globals.update(
        csrf_token=form_token,
        frame=frame,
        url_for=url_for,
        strays=lambda queue: queues.strays(queue, STRAYS),
        of_job=lambda actor: actor in repairs.OF_JOBS,
    )
    return made
