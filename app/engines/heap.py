"""Memory that recognition took and no longer needs, given back to the system where the C library is glibc."""

import ctypes
from collections.abc import Callable

M_ARENA_MAX = -8
"""glibc's number of the option: how many heaps threads may have, each of which keeps what it once took."""


def share_one() -> None:
    """Have all threads from now on take memory from one heap, so that one gets what another gave back."""
    _call("mallopt", M_ARENA_MAX, 1)


def give_back() -> None:
    """Hand what is free to the system, also what lies between two pieces in use, which would pile up."""
    _call("malloc_trim", 0)


def _call(name: str, *values: int) -> None:
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    if function:
        function(*values)
