"""How many requests a key may make in a minute, counted in the database for all processes together.

Each process takes a share of the minute's allowance by one statement and spends it without asking again, so
that most requests cost nothing; what one has taken and not spent is lost to the others until the minute ends.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee as pw

from app import clock, config
from app.models.keys import ApiKey
from app.refusals import RateLimited

WINDOW = timedelta(minutes=1)
SHARES = 50
"""A process takes one part of so many at once."""

_in_hand: dict[str, tuple[datetime, int]] = {}
"""What this process may still spend of the window that began then, by how the key begins."""
_lock = threading.Lock()


@dataclass(frozen=True)
class Allowance:
    """Requests a minute, those left of this minute, and seconds until the next one."""

    limit: int
    remaining: int
    resets_in_s: int


def spend(key: ApiKey) -> Allowance | None:
    """Count one request of the key, as it was just read; RateLimited where none is left. None: no limit."""
    limit = key.requests_per_minute or config.current().requests_per_minute
    if not limit:
        return None
    now = clock.now()
    window = now.replace(second=0, microsecond=0)
    resets_in_s = max(1, round((window + WINDOW - now).total_seconds()))
    used = key.window_used if key.window_at == window else 0
    left = _spend_in_hand(key.prefix, window)
    if left is None:
        took = _take(key.id, window, limit) if used < limit else 0
        if not took:
            refusal = RateLimited(f"This key may make {limit} requests a minute, and has made them.")
            refusal.retry_after_s = resets_in_s
            raise refusal
        used += took
        left = _add_in_hand(key.prefix, window, took - 1)
    return Allowance(limit, max(0, limit - used) + left, resets_in_s)


def _spend_in_hand(prefix: str, window: datetime) -> int | None:
    with _lock:
        of, left = _in_hand.get(prefix, (window, 0))
        if of != window or not left:
            return None
        _in_hand[prefix] = (window, left - 1)
        return left - 1


def _add_in_hand(prefix: str, window: datetime, requests: int) -> int:
    with _lock:
        of, left = _in_hand.get(prefix, (window, 0))
        _in_hand[prefix] = (window, requests + (left if of == window else 0))
        return _in_hand[prefix][1]


def _take(key_id: int, window: datetime, limit: int) -> int:
    """Take a share of the window's allowance, or its last requests one by one; 0: there are none."""
    for requests in (max(1, limit // SHARES), 1):
        used = pw.Case(None, [(ApiKey.window_at == window, ApiKey.window_used)], 0)
        is_new = ApiKey.window_at.is_null() | (ApiKey.window_at != window)
        there = (ApiKey.id == key_id) & (is_new | (ApiKey.window_used + requests <= limit))
        changes = {"window_used": used + requests, "window_at": window, "last_used_at": clock.now()}
        if ApiKey.update(changes).where(there).execute():
            return requests
    return 0
