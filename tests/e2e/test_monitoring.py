"""A real house under a real Prometheus and Alertmanager: what matters is told, and every query answers."""

import math
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest

from deploy.tools import dashboards, monitor_page, rules
from tests import tools, traffic
from tests.observed import Observed, eventually
from tests.prometheus import QUICK, Monitoring, watching
from tests.receiver import Receiver
from tests.services import execute, fresh_broker, fresh_database
from tests.webserver import WebServer

PILE = 150
PATIENCE_S = 120.0
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    with ExitStack() as ended:
        yield ended


@pytest.fixture(scope="module")
def house(stack: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """The production form, but for its workers."""
    tools.needed()
    database_url, broker_url = stack.enter_context(fresh_database()), stack.enter_context(fresh_broker())
    folder = tmp_path_factory.mktemp("house")
    observed = Observed(folder, database_url=database_url, broker_url=broker_url, **QUICK)
    observed.hold_back_workers()
    return stack.enter_context(observed)


@pytest.fixture(scope="module")
def monitoring(stack: ExitStack, house: Observed, tmp_path_factory: pytest.TempPathFactory) -> Monitoring:
    return stack.enter_context(watching(house, tmp_path_factory.mktemp("monitoring")))


@pytest.mark.timeout(600)
def test_a_pile_without_a_worker_is_told_to_the_webhook_and_its_end_too(
    house: Observed, monitoring: Monitoring
) -> None:
    piled = ("QueueBacklogHigh", "QueueNoConsumers", "EnqueuedJobsHigh")

    traffic.pile_up(house, PILE)

    for name in piled:
        eventually(partial(monitoring.told, name, "firing"), PATIENCE_S)
    [consumers, *_] = monitoring.told("QueueNoConsumers", "firing")
    assert consumers["labels"] == {
        "alertname": "QueueNoConsumers",
        "severity": "critical",
        "queue": "extract_audio",
    }
    assert consumers["annotations"]["runbook_url"] == "docs/runbooks/QueueNoConsumers.md"
    assert monitoring.told("Watchdog", "firing") == []

    house.send_workers()

    for name in piled:
        eventually(partial(monitoring.told, name, "resolved"), PATIENCE_S)


@pytest.mark.timeout(600)
def test_failures_are_told_until_somebody_has_taken_note_of_them(
    house: Observed, monitoring: Monitoring
) -> None:
    failed = 'ytrag_jobs{state="failed"}'
    eventually(lambda: [series["value"][1] for series in monitoring.ask(failed)] == [str(PILE)], PATIENCE_S)
    eventually(lambda: monitoring.told("FailedJobsHigh", "firing"), PATIENCE_S)

    assert traffic.acknowledge_failures(house) == PILE

    eventually(lambda: monitoring.told("FailedJobsHigh", "resolved"), PATIENCE_S)


@pytest.mark.timeout(600)
def test_every_query_of_panels_and_rules_has_a_finite_answer_after_real_work(
    house: Observed, monitoring: Monitoring
) -> None:
    eventually(lambda: monitoring.targets_up().get("worker"), PATIENCE_S)
    with WebServer(FIXTURES) as web, Receiver() as told:
        traffic.add_webhook(house, told.url)
        traffic.cancel_one(house, web)
        assert traffic.fail_for_good(house, web).status == "failed"
        for number in range(4):
            assert traffic.work(house, web, number).status == "completed"
        told.wait_for(6)
    calls = 'sum(ytrag_webhook_deliveries_total{outcome="delivered"})'
    eventually(lambda: answer(monitoring, calls) == [6.0])
    finished = 'sum(ytrag_jobs_finished_total{outcome="completed"})'
    eventually(lambda: answer(monitoring, finished) == [4.0])

    answers: dict[tuple[str, str], list[float]] = {asked: [] for asked in every_query()}

    def unanswered() -> list[tuple[str, str]]:
        for (where, query), found in answers.items():
            answers[where, query] = found or answer(monitoring, query)
        return [asked for asked, found in answers.items() if not found]

    with suppress(AssertionError):  # a scrape that a busy machine answers too late leaves a gap
        eventually(lambda: not unanswered(), PATIENCE_S)
    print()
    for (where, query), found in answers.items():
        print(f"{where:62} {len(found):3} series  {found[0] if found else math.nan:12.6g}  {query[:70]!r}")
    assert unanswered() == []
    counted = execute(house.database_url, "SELECT state, COUNT(*) FROM job GROUP BY state")
    gauges = {state: f'max(ytrag_jobs{{state="{state}"}})' for state, _ in counted}
    eventually(
        lambda: all(answer(monitoring, gauges[state]) == [float(str(count))] for state, count in counted)
    )


def test_the_page_of_make_monitor_draws_every_panel_and_the_alerts(monitoring: Monitoring) -> None:
    window = monitor_page.Window(monitoring.ask_range, monitoring.began, time.time())

    boards = monitor_page.drawn(window)
    page = monitor_page.page(boards, window, told=monitoring.alerts, about="A test.")

    assert monitor_page.empty(boards) == []
    assert page.count("<svg") == sum(len(board.panels) for board in dashboards.BOARDS) + 1
    assert "FailedJobsHigh: firing for" in page
    assert "Nobody serves the queue extract_audio, in which" in page


def every_query() -> Iterator[tuple[str, str]]:
    """Each panel's and each rule's queries; of a rule what it compares, for a quiet rule finds nothing."""
    for board in dashboards.BOARDS:
        for panel in board.panels:
            for query in panel.queries.values():
                yield f"{board.title}: {panel.title}", query
    for rule in rules.every():
        for part in compared(rule["expr"]):
            yield f"rule {rule['alert']}", part


def compared(expr: str) -> Iterator[str]:
    """What stands before each comparison."""
    if "absent(" in expr:  # it finds something only while something is wrong
        yield from re.findall(r"absent\((\w+)\)", expr)
        return
    for part in re.split(r"\nand ", expr):
        yield re.split(r" (?:==|[<>]=?) [\d.]+(?: \* [\d.]+)?$", part)[0]


def answer(monitoring: Monitoring, query: str) -> list[float]:
    """The finite values that the query finds now."""
    asked = query.replace("$__rate_interval", "90s").replace("$__range", "5m")
    found = [float(series["value"][1]) for series in monitoring.ask(asked)]
    return [value for value in found if math.isfinite(value)]
