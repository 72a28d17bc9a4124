"""Write deploy/requirements/*.txt: every package with its exact version and hashes, the same on every run."""

import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "deploy/requirements"
HEADER = "# Made by `make lock` from pyproject.toml and lock-only.in; torch is in torch.txt.\n"
EVERYWHERE = ("machines", "recogniser", "sentence-transformers")
LOCKS = {"runtime": EVERYWHERE, "core": ("machines",), "asr": ("machines", "recogniser")}
"""The extras of each lock but development's: for a machine that does all, and for the two images."""

UV = Path(sysconfig.get_path("scripts"), "uv")


def python_marker(match: re.Match[str]) -> str:
    """Keep of a marker what it says about Python: the rest repeats [tool.uv] environments on every line.

    So a machine outside those environments gets an error from pip, not a set-up with nothing in it.
    """
    clauses = re.findall(r"python_full_version [<>=]+ '(?!3\.15)[\d.]+'", match[0])
    return f" ; {' and '.join(clauses)}" if clauses else ""


def resolve(output: Path, *, extras: tuple[str, ...], constraints: tuple[Path, ...]) -> None:
    """Resolve the project with these extras for Linux and macOS, as of the date in pyproject.toml."""
    options = [f"--extra={extra}" for extra in extras] + [f"--constraints={path}" for path in constraints]
    options += ["--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-package=torch"]
    options += ["--no-header", "--no-annotate", "--quiet", f"--output-file={output}"]
    sources = ["pyproject.toml", str(REQUIREMENTS / "lock-only.in")]
    subprocess.run([UV, "pip", "compile", *options, *sources], check=True, cwd=ROOT)
    output.write_text(HEADER + re.sub(r" ; .*(?= \\\n)", python_marker, output.read_text()))


def main() -> None:
    """Write the locks, or with --check say whether the committed ones are current."""
    check = "--check" in sys.argv
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        torch = REQUIREMENTS / "torch.txt"
        dev = Path(folder, "dev.txt")
        resolve(dev, extras=(*EVERYWHERE, "demo", "dev"), constraints=(torch,))
        others = {Path(folder, f"{name}.txt"): extras for name, extras in LOCKS.items()}
        for lock, extras in others.items():
            resolve(lock, extras=extras, constraints=(torch, dev))
        for made in (dev, *others):
            committed = REQUIREMENTS / made.name
            if not committed.exists() or committed.read_text() != made.read_text():
                stale.append(made.name)
                if not check:
                    committed.write_text(made.read_text())
    verb = "Out of date, run `make lock`" if check else "Written"
    print(f"{verb}: {', '.join(stale)}" if stale else "The locks are current.")
    sys.exit(check and bool(stale))


if __name__ == "__main__":
    main()
