"""Run every attack that the tests know, and ask for known faults of the dependencies: python -m tests.attack.

Prints a table. Fails where an attack came through; advisories are told, and where their database cannot be
reached that is told too.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx

from tests.load.tables import table
from tests.services import SCRIPT, started
from tests.up import ROOT

ADVISORIES = "https://api.osv.dev/v1/querybatch"
PINS = ("runtime.txt", "torch.txt")
INSIDE, UNIT = "tests/integration/test_", "tests/unit/test_"
AREAS = {
    "downloader: ways inside": (f"{INSIDE}attacks.py", f"{UNIT}guard.py"),
    "downloader: addresses": (f"{UNIT}sources.py",),
    "downloader: answers without bounds or sense": (f"{INSIDE}media.py", f"{INSIDE}processes.py"),
    "media: files that read others, lie or are broken": (f"{INSIDE}audio.py",),
    "webhooks": (f"{UNIT}webhook_caller.py", f"{INSIDE}webhooks.py"),
    "API: keys, owners, allowances": (f"{INSIDE}auth.py", f"{INSIDE}keys_api.py"),
    "API: requests of every kind": (f"{INSIDE}openapi.py", f"{INSIDE}intake_api.py"),
    "pages: forms, sessions, markup": (f"{INSIDE}pages.py",),
    "dashboard: who, forms, markup": (f"{INSIDE}dashboard.py", f"{INSIDE}accounts.py"),
    "settings that leave a door open": (f"{UNIT}config.py", f"{UNIT}compose.py"),
}
"""What is attacked, and the tests that do so."""


def main() -> int:
    """Run, print, and tell whether nothing came through."""
    rows = []
    for area, files in AREAS.items():
        count = attacked(files)
        rows.append((area, count["passed"], count["failed"], count["skipped"]))
        print(f"  {area}: {dict(count)}", flush=True)
    print("\n".join(table(("attacked", "held", "came through", "not run"), rows)))
    print(audited())
    return int(any(row[2] for row in rows))


def attacked(files: tuple[str, ...]) -> Counter[str]:
    """How many tests of these files passed, failed, and were skipped."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *files],
            cwd=ROOT,
            env={**os.environ, **started(SCRIPT)},
            capture_output=True,
            text=True,
        )
        if not report.exists():
            raise RuntimeError(done.stdout + done.stderr)
        cases = list(ET.parse(report).iter("testcase"))
    count = Counter(passed=0, failed=0, skipped=0)
    for case in cases:
        tags = {child.tag for child in case}
        count["failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"] += 1
    if count["failed"]:
        print(done.stdout)
    return count


def audited(address: str = ADVISORIES) -> str:
    """What the database of advisories knows of the pinned versions, as a sentence."""
    text = "\n".join((ROOT / "deploy/requirements" / name).read_text(encoding="utf-8") for name in PINS)
    pins = re.findall(r"^([\w.-]+)==([\w.+-]+)", text, re.MULTILINE)
    wanted = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in pins]
    try:
        answer = httpx.post(address, json={"queries": wanted}, timeout=30).raise_for_status().json()
    except httpx.HTTPError as error:
        return f"Dependencies: NOT audited, {address} cannot be reached ({type(error).__name__}: {error})."
    found = [
        f"{name} {version}: {', '.join(one['id'] for one in result['vulns'])}"
        for (name, version), result in zip(pins, answer["results"], strict=True)
        if result.get("vulns")
    ]
    return "\n".join([f"Dependencies: {len(found)} of {len(pins)} with known advisories.", *found])


if __name__ == "__main__":
    sys.exit(main())
