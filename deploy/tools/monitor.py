"""The production form under a real Prometheus and Alertmanager, with load, drawn as a page.

`make monitor` piles up uploads that are no media before there is a worker, then lets workers come and sends
them real work of every kind. It writes var/monitor.html; exit code 0: every panel found something.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from deploy.tools import monitor_page
from deploy.tools.demo_report import head, out, say
from deploy.tools.rules import ROOT
from tests import services as servers
from tests import traffic
from tests.observed import Observed, eventually
from tests.prometheus import QUICK, SHORTER, Monitoring, watching
from tests.receiver import Receiver
from tests.webserver import WebServer

PAGE = ROOT / "var/monitor.html"
PILE, JOBS, AT_ONCE = 150, 12, 3
PATIENCE_S = 90.0
ABOUT = (
    f"The production form with real servers on one machine: {PILE} uploads that are no media pile up "
    f"without a worker, workers come, then {JOBS} clips of speech, a source that fails, a cancelled download."
)


def main() -> int:
    """Exit code: 0 every panel is drawn, 1 one is empty, 2 wrong usage, 69 no servers here, 130 stopped."""
    parser = argparse.ArgumentParser(prog="make monitor", description="A look at the monitoring.")
    parser.add_argument("--keep", action="store_true", help="leave all open until Ctrl-C")
    wishes = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    for action in ("up", "tools"):
        if code := subprocess.call([ROOT / "deploy/services.sh", action]):
            return code
    try:
        return run(keep=wishes.keep)
    except KeyboardInterrupt:
        head("Stopped")
        return 130


def run(*, keep: bool) -> int:
    """Bring all up, load it, draw it."""
    with ExitStack() as ended:
        folder = Path(ended.enter_context(tempfile.TemporaryDirectory(prefix="ytrag-monitor-")))
        database_url = ended.enter_context(servers.fresh_database())
        broker_url = ended.enter_context(servers.fresh_broker())
        house = Observed(folder / "house", database_url=database_url, broker_url=broker_url, **QUICK)
        house.hold_back_workers()
        head("Starting API, dispatchers and exporter, Prometheus and Alertmanager")
        ended.enter_context(house)
        monitoring = ended.enter_context(watching(house, folder / "monitoring"))
        began = time.time()
        load(house, monitoring)
        window = monitor_page.Window(monitoring.ask_range, began, time.time())
        complaints = draw(window, monitoring)
        if keep:
            head("Open until Ctrl-C")
            say("prometheus", monitoring.prometheus)
            say("alertmanager", monitoring.alertmanager)
            signal.pause()
    return 1 if complaints else 0


def load(house: Observed, monitoring: Monitoring) -> None:
    """What there is to see: alarms and their ends, waiting, work, failures."""
    told = monitoring.told
    head("Load")
    say("no worker", f"{PILE} uploads that are no media")
    traffic.pile_up(house, PILE)
    eventually(partial(told, "QueueNoConsumers", "firing"), PATIENCE_S)
    say("workers", "come")
    house.send_workers()
    eventually(partial(told, "FailedJobsHigh", "firing"), PATIENCE_S)
    say("work", f"{JOBS} clips of speech, a source that fails, a cancelled download")
    with WebServer(ROOT / "tests/fixtures") as web, ThreadPoolExecutor(AT_ONCE) as crowd, Receiver() as hook:
        traffic.add_webhook(house, hook.url)
        traffic.cancel_one(house, web)
        traffic.fail_for_good(house, web)
        for status in crowd.map(partial(traffic.work, house, web), range(JOBS)):
            assert status.status == "completed", status
    say("operator", f"takes note of {traffic.acknowledge_failures(house)} failures")
    eventually(partial(told, "FailedJobsHigh", "resolved"), PATIENCE_S)


def draw(window: monitor_page.Window, monitoring: Monitoring) -> list[str]:
    """Write the page; returns the panels that found nothing."""
    boards = monitor_page.drawn(window)
    about = f"{ABOUT} Waits of alerts are {SHORTER} times shorter than in operation."
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(monitor_page.page(boards, window, told=monitoring.alerts, about=about))
    empty = monitor_page.empty(boards)
    head("Seen")
    say("alerts", f"{len(monitoring.alerts)} messages came to the webhook")
    say("panels", f"{sum(len(panels) for _, panels in boards)} drawn, {len(empty)} of them empty")
    for name in empty:
        out.print(f"  [red]nothing found[/]  {name}")
    say("page", str(PAGE.relative_to(ROOT)))
    return empty


if __name__ == "__main__":
    sys.exit(main())
