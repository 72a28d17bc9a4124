"""Goes on with a file of which an attempt whose worker died left a part, and sees that both ends fit."""

import shutil
from dataclasses import dataclass
from pathlib import Path

SEAM_BYTES = 16 * 1024
"""What is fetched a second time: enough to tell one recording from another, and to mend a torn end."""


@dataclass(frozen=True)
class Seam:
    """Where the part was cut, and what had stood behind."""

    start: int
    content: bytes

    def holds(self, file: Path) -> bool:
        """Whether the source has sent the same again: else the part was of another file."""
        with file.open("rb") as whole:
            whole.seek(self.start)
            return whole.read(len(self.content)) == self.content


def cut(directory: Path) -> Seam | None:
    """Shorten the part of a single file that lies there; None, and an empty directory, where there is none.

    Streams in pieces (HLS, DASH) leave more than that one file; they begin anew.
    """
    found = list(directory.iterdir())
    part = found[0] if len(found) == 1 and found[0].suffix == ".part" else None
    if part is None or part.stat().st_size <= SEAM_BYTES:
        empty(directory)
        return None
    with part.open("r+b") as file:
        start = part.stat().st_size - SEAM_BYTES
        file.seek(start)
        content = file.read()
        file.truncate(start)
    return Seam(start, content)


def empty(directory: Path) -> None:
    """Delete all that lies there."""
    for path in directory.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
