"""Notes each message that this process hands to a broker, where OVERHEARD names a file to note it in."""

import json
import os
from typing import Any

from dramatiq.broker import Broker

_emit_before = Broker.emit_before


def _note(self: Broker, signal: str, *args: Any, **kwargs: Any) -> None:
    if signal == "enqueue":
        message = args[0]
        line = json.dumps([message.actor_name, message.args[0], message.options.get("broker_priority")])
        with open(os.environ["OVERHEARD"], "a") as file:  # noqa: PTH123  # one write of one line
            file.write(line + "\n")
    _emit_before(self, signal, *args, **kwargs)


if os.environ.get("OVERHEARD"):
    Broker.emit_before = _note  # type: ignore[method-assign]
