"""Asks yt-dlp, one after another in one process, for addresses that fail: what the program says of each.

`python -m tests.taxonomy` reads {"orders": [[order, answer of the played YouTube or null]…]} and prints what
media_child tells, a JSON line each; where YouTube is played, the answer is what its only video then says.
"""

import json
import os
import sys
from pathlib import Path

from app.engines import media_child

if __name__ == "__main__":
    for order, answer in json.load(sys.stdin)["orders"]:
        if answer is not None:
            state_file = Path(os.environ["PLAY_YOUTUBE"]) / "state.json"
            state = json.loads(state_file.read_text())
            state["videos"][0]["answer"] = answer
            state_file.write_text(json.dumps(state))
        Path(order["directory"]).mkdir(parents=True)
        os.chdir(order["directory"])
        told = media_child.attempt(media_child.fetch, order, lambda _news: None)
        print(json.dumps(told | {"left": sorted(path.name for path in Path().iterdir())}))
