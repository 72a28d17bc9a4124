"""The only clock: aware UTC, which tests can set."""

from datetime import UTC, datetime


class Clock:
    """Tells the time; replaced in tests by one that stands still."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


clock = Clock()


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return clock.now()
