"""How a process of ours starts and is told to stop."""

import signal
import sys
import threading
from collections.abc import Callable

from app.errors import InvalidInput, InvalidSetting, YtragError
from app.services import outbox

USAGE, FAILED = 2, 1
"""Exit codes, as the command line documents them."""


def run(command: str, main: Callable[[], None]) -> None:
    """Run a process to its end; what stops its start becomes one sentence and an exit code."""
    try:
        main()
    except (YtragError, OSError) as error:
        sys.stderr.write(f"ytrag {command}: {error}\n")
        sys.exit(USAGE if isinstance(error, InvalidSetting | InvalidInput) else FAILED)


def stop_event() -> threading.Event:
    """Set by SIGTERM and SIGINT, which also wake a dispatcher of this process."""
    stop = threading.Event()

    def tell(*_: object) -> None:
        stop.set()
        outbox.added.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    return stop
