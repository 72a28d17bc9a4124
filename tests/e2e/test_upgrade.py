"""A house is upgraded while it works: old and new processes side by side on the new tables."""

import io
import subprocess
import sys
import tarfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.test_faults import SETTINGS, all_complete, submit
from tests.up import ROOT, Production, Program
from tests.webserver import WebServer

MIGRATIONS = "app/migrations"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it was before the newest change to the tables."""
    newest = max(path.name for path in (ROOT / MIGRATIONS).glob("0*.py"))
    made = git("log", "--diff-filter=A", "--format=%H", "--", f"{MIGRATIONS}/{newest}").decode().split()
    if not made or not (packed := git("archive", f"{made[-1]}~1")):
        pytest.skip("This checkout has no history from which an older version could be taken.")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    assert not (folder / MIGRATIONS / newest).exists()
    return folder


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False).stdout


def test_an_upgrade_under_load_loses_and_doubles_nothing(
    before: Path, fresh_database: str, fresh_broker: str, tmp_path: Path, web: WebServer
) -> None:
    new = Production(tmp_path / "house", database_url=fresh_database, broker_url=fresh_broker, **SETTINGS)
    old = Production(tmp_path / "house", database_url=fresh_database, broker_url=fresh_broker, **new.settings)
    for program in (old, *old.others.values()):
        program.root = before
    with ExitStack() as ended:
        ended.enter_context(old)
        jobs = submit(old.client, web, 3)
        command = [sys.executable, "-m", "app.cli.main", "db", "upgrade"]
        upgraded = subprocess.run(command, env=new.environment, cwd=ROOT, capture_output=True, check=True)
        print(upgraded.stdout.decode(), end="")
        for name, program in new.others.items():
            jobs += submit(old.client, web, 2)
            program.start()  # beside the old one
            ended.callback(program.stop)
            old.others[name].stop()
        Program.stop(old)
        Program.start(new)
        ended.callback(Program.stop, new)
        all_complete(new, jobs + submit(new.client, web, 1))
