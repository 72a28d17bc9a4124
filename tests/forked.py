"""Does what app.engines.media_child does, for many orders at once, each in a process of its own.

`python -m tests.forked` reads {"orders": [order…]} and prints the last line of each. The processes are forked
from one that has loaded yt-dlp already, which is most of what a download on loopback takes.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from app.engines import media_child


def start(order: object, told: Path) -> int:
    """Begin the work in a process of its own, which prints into the file; its id."""
    if (pid := os.fork()) == 0:
        fed = told.with_suffix(".order")
        fed.write_text(json.dumps(order))
        with fed.open() as sys.stdin, told.open("w") as sys.stdout:
            media_child.serve(media_child.fetch)
        os._exit(0)
    return pid


if __name__ == "__main__":
    from yt_dlp import YoutubeDL

    YoutubeDL({"quiet": True}).close()
    orders = json.load(sys.stdin)["orders"]
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder, str(number)) for number in range(len(orders))]
        for one in orders:
            Path(one["directory"]).mkdir(parents=True)
        for pid in [start(one, told) for one, told in zip(orders, outs, strict=True)]:
            os.waitpid(pid, 0)
        for told in outs:
            print(told.read_text().splitlines()[-1])
