"""Takes the guard away from a process in whose PYTHONPATH this folder stands, where UNGUARDED is 1.

It also answers for the name rebind.test: once with the address of the web, then with one inside.
"""

import os
import socket
from typing import Any

from app.engines import guard

_resolve, _asked = socket.getaddrinfo, 0


def _answer(host: Any, *more: Any, **options: Any) -> Any:
    global _asked
    if host == "rebind.test":
        _asked += 1
        host = "127.0.0.1" if _asked <= int(os.environ["HONEST_ANSWERS"]) else "127.0.0.2"
    return _resolve(host, *more, **options)


socket.getaddrinfo = _answer
if os.environ["UNGUARDED"] == "1":
    guard.is_public = lambda address: True
