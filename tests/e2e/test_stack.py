"""What docker-compose.yml runs of ours takes one video from URL to search hit, without containers."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.stages import NAMES
from deploy.tools.compose import ROOT

SERVICES = {"api", "dispatcher", "worker-io", "worker-media", "worker-asr", "worker-light", "exporter"}


@pytest.mark.timeout(480)
@pytest.mark.usefixtures("fresh_broker", "fresh_database")  # skips where there are no servers
def test_one_video_goes_through_the_production_form_and_nothing_of_it_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.tools.stack", "--once", "--folder", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    for stage in NAMES:
        assert re.search(rf"^  {stage} +\d+\.\d\d s", done.stdout, re.MULTILINE)
    assert re.search(r"said at 0:51\.7, so the hit is [01]\.\d s off", done.stdout)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.log" for name in SERVICES}
    [address] = re.findall(r"ready at (\S+)", done.stdout)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz")
