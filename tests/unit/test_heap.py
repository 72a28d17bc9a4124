"""What recognition no longer needs goes back to the system."""

import subprocess
import sys

import pytest

FREED_BY_A_THREAD = """
import ctypes, threading
from pathlib import Path
from app.engines import heap

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

def work():
    taken = [ctypes.memset(libc.malloc(100_000), 1, 100_000) for _ in range(2000)]
    for block in taken[:-1]:  # the last one stays, and all others are below it
        libc.free(block)

heap.keep_small()
thread = threading.Thread(target=work)
thread.start()
thread.join()
before = resident_mb()
heap.give_back()
print(before, resident_mb())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, and asks glibc")
def test_free_memory_below_what_is_in_use_goes_back_to_the_system() -> None:
    run = subprocess.run(
        [sys.executable, "-c", FREED_BY_A_THREAD], capture_output=True, text=True, check=True, timeout=60
    )
    before, after = (float(number) for number in run.stdout.split())

    assert before > 200
    assert after < 100
