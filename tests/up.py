"""Starts the real program as processes of its own, as a user would, and talks to it over HTTP."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.client import Client, ServerUnreachable

ROOT = Path(__file__).parent.parent
START_TIMEOUT_S = 120.0
PORTS = range(18_000, 25_000)
"""Below those that the kernel gives to connections, between those of RabbitMQ."""


class Program:
    """A `ytrag` command in a process, for as long as the block runs; its log lies in the data folder.

    Settings are named without their prefix: Program("up", folder, POLL_S="0.1").
    """

    def __init__(self, command: str, data_dir: Path, name: str = "", **settings: str) -> None:
        self.command, self.data_dir, self.settings = command, data_dir, settings
        self.log = data_dir / f"{name or command}.log"
        self.root = ROOT  # where its code is
        self.prefix: tuple[str, ...] = ()  # what starts it elsewhere

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()  # what had started before
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the program."""
        ours = {f"YTRAG_{name}": value for name, value in self.settings.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YTRAG_")}
        return {**kept, **ours}

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "app.cli.main", *self.command.split()],
                env=self.environment,
                cwd=self.root,
                stdout=log,
                stderr=log,
            )
        give_up = time.monotonic() + START_TIMEOUT_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > give_up:
                self.stop()
                raise RuntimeError(f"{self.command} did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Whether it does its work."""
        return True

    def kill(self) -> None:
        """End it as a crash or the kernel would, without a chance to clean up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=90)


class Up(Program):
    """A `ytrag up`, or `serve`, on a free port of loopback, with the packaged models."""

    recogniser = "packaged-tiny.en"  # the quickest: what most tests are about is not how well it hears

    def __init__(self, data_dir: Path, command: str = "up", **settings: str) -> None:
        defaults = {
            "DATA_DIR": str(data_dir),
            "PORT": str(free_port()),
            "ALLOWED_SOURCES": "127.0.0.1",
            "WHISPER_MODEL": self.recogniser,
            "EMBEDDING_MODEL": "packaged",
        }
        super().__init__(command, data_dir, **defaults | settings)
        self.client = Client(f"http://127.0.0.1:{self.settings['PORT']}")

    @property
    def database_url(self) -> str:
        """Where its rows are."""
        return self.settings.get("DATABASE_URL") or f"sqlite:///{self.data_dir / 'ytrag.db'}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the program, and of commands that speak to it."""
        return {**super().environment, "YTRAG_SERVER": self.client.server}

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            self.client.ready()
        except ServerUnreachable:
            return False
        return True

    def kill(self) -> None:
        """End it likewise; until its worker sees that it is an orphan, it answers on."""
        super().kill()
        give_up = time.monotonic() + START_TIMEOUT_S
        while self.is_ready():
            assert time.monotonic() < give_up
            time.sleep(0.05)


class Production(Up):
    """The production form: the API, two dispatchers and all workers, over RabbitMQ and MySQL."""

    def __init__(self, data_dir: Path, *, database_url: str, broker_url: str, **settings: str) -> None:
        where = {"DATABASE_URL": database_url, "BROKER_URL": broker_url}
        super().__init__(data_dir, "serve", **where | settings)
        self.others = {
            name: Program(name.rstrip("12"), data_dir, name, **self.settings)
            for name in ("dispatcher1", "dispatcher2", "worker")
        }

    def start(self) -> None:
        """Start the API, which makes the tables, then the others."""
        super().start()
        for other in self.others.values():
            other.start()

    def stop(self) -> int:
        """Stop all; the API's exit code."""
        for other in self.others.values():
            if hasattr(other, "process"):
                other.stop()
        return super().stop()


def free_port() -> int:
    """A port of loopback that nobody uses now, and that no connection is given before a server takes it."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
