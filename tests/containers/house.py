"""The whole of docker-compose.yml in a Docker engine, with secrets, data and networks of its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import yaml

from app.client import Client
from app.engines import weights
from deploy.tools.compose import ROOT

FOLDER = ROOT / "var/containers"  # the engine sees nothing outside the project
GIVEN = "/data/given"
"""Where the models lie in the volume: no hub is needed."""
SETTINGS = {
    "YTRAG_SECRETS": str(FOLDER / "secrets"),
    "YTRAG_WHISPER_MODEL": f"{GIVEN}/whisper-base",
    "YTRAG_EMBEDDING_MODEL": f"{GIVEN}/all-MiniLM-L6-v2",
    "YTRAG_DOMAIN": "localhost",
    "YTRAG_PUBLIC_URL": "https://localhost",
    "COMPOSE_PROFILES": "tls",
}
START_TIMEOUT_S = 900.0


class House:
    """Runs while the block does; what it stored goes with it, the images stay."""

    def __enter__(self) -> Self:
        shutil.rmtree(FOLDER, ignore_errors=True)
        (FOLDER / "given").mkdir(parents=True)
        subprocess.run([ROOT / "deploy/secrets.sh", FOLDER / "secrets"], check=True, capture_output=True)
        (FOLDER / "env").write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def compose(self, *command: str) -> str:
        """What `docker compose …` prints; AssertionError with its last lines where it fails."""
        fixed = ["--project-name=ytrag-test", f"--env-file={FOLDER / 'env'}"]
        return docker("compose", *fixed, "--progress=plain", *command)

    def services(self) -> dict[str, Mapping[str, Any]]:
        """The services, as Compose itself reads the file."""
        return dict(yaml.safe_load(self.compose("config"))["services"])

    def containers(self) -> dict[str, list[str]]:
        """The ids of each service's containers, also of those that have ended."""
        found: dict[str, list[str]] = {}
        for line in self.compose("ps", "--all", "--format={{.Service}} {{.ID}}").splitlines():
            service, container = line.split()
            found.setdefault(service, []).append(container)
        return found

    def _start(self) -> None:
        began = time.monotonic()
        self.compose("build")
        say(began, "images are built")
        self._put_models()
        made = self.compose("run", "--rm", "api", "ytrag", "keys", "create", "admin", "--role", "admin")
        say(began, "the first key is made")
        self.compose("up", "--detach", "--wait")
        say(began, "all are healthy")
        self.client = Client("http://127.0.0.1:8000", made.split()[-1])

    def _put_models(self) -> None:
        for found in (weights.whisper("packaged", FOLDER), weights.embedding("packaged")):
            shutil.copytree(found.source, FOLDER / "given" / found.name.rpartition("/")[2])
        mount = f"{FOLDER}/given:/given:ro"
        self.compose("run", "--rm", "--no-deps", f"--volume={mount}", "api", "cp", "-r", "/given", GIVEN)

    def _end(self) -> None:
        self.compose("down", "--volumes")


def docker(*command: str) -> str:
    """What the command prints; AssertionError with its last lines where it fails."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("YTRAG_")}
    done = subprocess.run(
        ["docker", *command], cwd=ROOT, env=own, capture_output=True, text=True, timeout=START_TIMEOUT_S
    )
    assert done.returncode == 0, f"docker {' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout.strip()


def say(began: float, what: str) -> None:
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)
