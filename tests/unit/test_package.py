"""What is built to be installed: all that the program needs, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.up import ROOT

PACKAGES = ("app", "actors", "monitoring")


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", "docs/NOTICE.md"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    needed = {str(path.relative_to(source)) for name in PACKAGES for path in files(source / name)}

    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, f"--wheel-dir={tmp_path}", source], check=True, timeout=180)

    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as built:
        held = {name for name in built.namelist() if ".dist-info/" not in name}
    assert held == needed


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
