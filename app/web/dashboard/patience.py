"""How long a page waits for the database, and what it does without it: show the rest, and say so."""

import logging
from collections.abc import Callable
from typing import TypeVar

import peewee as pw
from flask import g
from playhouse.pool import MaxConnectionsExceeded

from app.models.base import forget, limit_statements
from app.services import queues

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
AWAY = (pw.OperationalError, pw.InterfaceError, MaxConnectionsExceeded)
SLOW = "The database is slow or away: what it did not tell within two seconds is missing here."
R = TypeVar("R")


def begin() -> None:
    """Have no read of this request take longer than our patience."""
    g.limited = True
    reading(lambda: limit_statements(PATIENCE_S), instead=None)


def end() -> None:
    """Give the connection back as it was."""
    if g.pop("limited", False):
        try:
            limit_statements(0.0)
        except AWAY:
            forget()


def reading(read: Callable[[], R], *, instead: R) -> R:
    """What it reads, or this instead; once the database was slow, the rest of the page waits no more."""
    if is_slow():
        return instead
    try:
        return read()
    except AWAY as error:
        log.warning("dashboard without the database", extra={"error": str(error)})
        g.slow = True
        return instead


def is_slow() -> bool:
    """Whether something is missing on this page."""
    return bool(g.get("slow", False))


def depths() -> queues.Depths:
    """All queues, asked for once a request."""
    if "depths" not in g:
        g.depths = queues.every(lambda read, instead: reading(read, instead=instead))
    found: queues.Depths = g.depths
    return found
