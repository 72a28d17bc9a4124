"""Memory that recognition took and no longer needs, given back to the system where the C library is glibc."""

import ctypes
from collections.abc import Callable

M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3
"""glibc's numbers of options: how many heaps threads have, each of which keeps what it once took; and from
what size on a piece comes from the system itself, to which it then goes back at once."""

LARGE_BYTES = 8 * 2**20
"""Measured: less than this costs time."""


def keep_small() -> None:
    """Have all threads from now on share one heap, and take large pieces from the system."""
    _call("mallopt", M_ARENA_MAX, 1)
    _call("mallopt", M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Hand what is free to the system, also what lies between two pieces in use, which would pile up."""
    _call("malloc_trim", 0)


def _call(name: str, *values: int) -> None:
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    if function:
        function(*values)
