"""Run an outside program so that it, and all that it starts, can be killed at once."""

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

TICK_S = 0.5
KEPT_BYTES = 64 * 1024
"""What is kept of a program's complaints: this much of their beginning and as much of their end."""


class Child:
    """A program in a session of its own; leaving the `with` block kills whatever of it still runs."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._complaints = bytearray()
        with tempfile.TemporaryFile() as fed:
            fed.write(stdin)
            fed.seek(0)
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=fed,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

    @property
    def stderr(self) -> str:
        """What it has complained of so far."""
        return self._complaints.decode(errors="replace")

    @property
    def returncode(self) -> int:
        """How it ended, known behind the `with` block; negative for a signal."""
        return self._process.wait()

    def lines(self) -> Iterator[str]:
        """Yield each line that it prints, and an empty one every TICK_S whatever it does, until it ends."""
        assert self._process.stdout
        assert self._process.stderr
        rest, due = b"", time.monotonic() + TICK_S
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._process.stdout, selectors.EVENT_READ)
            pipes.register(self._process.stderr, selectors.EVENT_READ)
            while pipes.get_map():
                for key, _ in pipes.select(max(0.0, due - time.monotonic())):
                    piece = os.read(key.fd, 65536)
                    if not piece:
                        pipes.unregister(key.fileobj)
                    elif key.fileobj is self._process.stderr:
                        self._complaints += piece
                        del self._complaints[KEPT_BYTES:-KEPT_BYTES]
                    else:
                        *whole, rest = (rest + piece).split(b"\n")
                        yield from (line.decode(errors="replace") for line in whole if line)
                if time.monotonic() >= due:
                    due = time.monotonic() + TICK_S
                    yield ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Killed before it is waited for: until then its id, which is its group's too, cannot be another's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
