"""Worker processes and the one that supervises them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.up import ROOT


def test_a_worker_whose_supervisor_died_while_it_started_ends(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YTRAG_")}

    ended = subprocess.run(
        [sys.executable, "-m", "actors.worker", "--serve", "light", str(gone.pid)],
        env={**environment, "YTRAG_DATA_DIR": str(tmp_path)},
        cwd=ROOT,
        timeout=60,
    )

    assert ended.returncode == 0
