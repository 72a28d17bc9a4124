"""Whether what a process stands on answers in time."""

import threading
from collections.abc import Callable, Mapping

TIMEOUT_S = 2.0
OK = "ok"


class Check:
    """One thing to look at, in a thread of its own: what hangs is told, and not looked at twice at once."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._answer = ""
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def __call__(self, timeout_s: float = TIMEOUT_S) -> str:
        """OK, or what is wrong."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._answer = f"no answer within {timeout_s:g} s"
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(timeout_s)
        return self._answer

    def _run(self) -> None:
        try:
            self._look()
            self._answer = OK
        except Exception as error:  # noqa: BLE001  # whatever is wrong is the answer
            self._answer = f"{type(error).__name__}: {error}"


Checks = Mapping[str, Check]


def answer(checks: Checks) -> tuple[bool, dict[str, str]]:
    """Whether all is well, and what there is to say of each, as the body of a health endpoint."""
    found = {name: check() for name, check in checks.items()}
    well = all(word == OK for word in found.values())
    return well, {"status": OK if well else "unavailable", **found}
