"""Room on the disks: where less than YTRAG_MIN_FREE_BYTES is left, nothing new is taken in or begun."""

import logging
from datetime import timedelta

from app import clock, config
from app.errors import NotNow, OutOfSpace
from app.services import census

log = logging.getLogger(__name__)

WAITS = "space:"
"""Before a volume's name: what waits until there is room on it."""
LOOK_AFTER_POLLS = 15
"""Who waits for room looks again after this many of YTRAG_POLL_S, for nobody tells when files go."""


def check() -> None:
    """OutOfSpace where nothing new is to be taken in for now."""
    if full := _full():
        raise OutOfSpace(full[1])


def await_room() -> None:
    """NotNow, at no cost of an attempt, where this thread's stage has no room for the files that it makes."""
    if full := _full():
        volume, sentence = full
        log.warning("waits for space", extra={"volume": volume, "detail": sentence})
        at = clock.now() + timedelta(seconds=LOOK_AFTER_POLLS * config.current().poll_s)
        raise NotNow(at=at, waits_for=WAITS + volume, because=(OutOfSpace.code, sentence))


def _full() -> tuple[str, str] | None:
    """A volume that has too little room, and a sentence about it."""
    least = config.current().min_free_bytes
    for volume, usage in census.volumes().items():
        if usage.free < least:
            left, kept = (f"{size / 1024**2:.0f} MiB" for size in (usage.free, least))
            return volume, f"The disk of {volume} is full: {left} are left, and {kept} are to stay free."
    return None
