"""What we build upon of dramatiq-dashboard is as it was when we built: it promises none of it."""

import inspect
from dataclasses import fields
from importlib.metadata import version

import dramatiq_dashboard
import jinja2
from dramatiq_dashboard import application, http, interface

from app.web.dashboard.stock import Dashboard, Interface

LAST_SEEN = "a naive datetime in UTC"
TEMPLATES = {"_action.html", "_base.html", "_grid.html", "_panel.html", "_tabs.html", "_timestamp.html"}


def test_the_package_is_the_one_that_we_know() -> None:
    assert version("dramatiq-dashboard") == dramatiq_dashboard.__version__ == "0.4.0"


def test_its_values_have_the_fields_that_we_fill() -> None:
    known = {
        kind.__name__: [field.name for field in fields(kind)] for kind in (interface.Queue, interface.Job)
    }

    assert known == {
        "Queue": ["name", "jobs", "jobs_delayed", "jobs_dead"],
        "Job": ["message_id", "message", "eta", "timestamp", "retries"],
    }
    assert [field.name for field in fields(interface.Worker)] == ["name", "last_seen", "jobs_in_flight"]


def test_it_asks_for_what_our_interface_answers() -> None:
    stock = interface.RedisInterface

    for name in ("get_queue", "get_jobs", "get_job"):
        asked = list(inspect.signature(getattr(stock, name)).parameters)
        answered = [word.lstrip("_") for word in inspect.signature(getattr(Interface, name)).parameters]
        assert asked == answered, name
    used = set(inspect.getsource(application).split("self.iface.")[1:])
    called = {use.split("(")[0].split(",")[0].split("\n")[0].strip() for use in used}
    assert called == {"queues", "workers", "get_queue", "get_jobs", "get_job", "delete_message"}


def test_its_application_is_made_and_routed_as_we_take_it() -> None:
    assert list(inspect.signature(application.DashboardApp.__init__).parameters) == [
        "self",
        "broker",
        "prefix",
    ]
    patterns = [pattern.pattern for pattern, _ in Dashboard()._dispatch_table]

    assert patterns == [
        "^//?$",
        "^/queues/(?P<name>[^/]+)/?$",
        "^/queues/(?P<name>[^/]+)/(?P<current_tab>(standard|delayed|failed))/?$",
        "^/queues/(?P<name>[^/]+)/(?P<current_tab>(standard|delayed|failed))/(?P<message_id>[^/]+)/?$",
        "^/delete-message/?$",
        "^/requeue-message/?$",
        "^.*/?$",
    ]
    assert callable(http.handler)


def test_its_templates_have_the_blocks_and_macros_that_we_put_ours_in_place_of() -> None:
    environment = Dashboard().templates
    stock = jinja2.PackageLoader("dramatiq_dashboard", "templates")

    assert set(stock.list_templates()) == TEMPLATES | {"dashboard.html", "queue.html", "job.html"}
    for page in ("dashboard.html", "queue.html", "job.html"):
        assert set(environment.get_template(f"stock/{page}").blocks) == {"subtitle", "content"}
    action = stock.get_source(environment, "_action.html")[0]
    assert '{% macro action(label, uri, params, classes="button--primary") %}' in action
    assert ".button--tertiary" in Dashboard().style
