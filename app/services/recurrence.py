"""The times of a cron line in a time zone.

Five fields as Debian's cron reads them: Sunday is 0 and 7, L the last day of a month, MON#2 its second
Monday; days of month and of week that are both named mean either. Where a zone skips an hour, a named time
in it comes at the first minute behind it; where a zone repeats one, a named time comes in the first of both
only. A line whose minute or hour starts with * follows the minutes that really pass instead: it stays away
in the hour that is skipped and comes in both that are repeated.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from app.errors import InvalidInput

FIELDS = ("minute", "hour", "day of month", "month", "day of week")


def next_time(cron: str, timezone: str, after: datetime) -> datetime:
    """The first time of the line after the moment, in UTC; InvalidInput names what is wrong."""
    for moment in _times(cron, timezone, after):
        if moment > after:  # in an hour that comes again, the first 02:30 can lie behind us
            return moment
    raise InvalidInput(f"cron is {cron!r}, which never comes.")


def latest_time(cron: str, timezone: str, until: datetime) -> datetime:
    """The last time of the line up to the moment and at it, in UTC."""
    start = until + timedelta(seconds=1)
    return next(moment for moment in _times(cron, timezone, start, reverse=True) if moment <= until)


def every(interval_s: float) -> str:
    """The cron line of the longest even interval, a minute to a day, that is no longer than this one."""
    minutes = max(1, int(interval_s // 60))
    if minutes < 60:
        return f"*/{_divisor(60, minutes)} * * * *"
    return f"0 */{_divisor(24, minutes // 60)} * * *"


def _divisor(of: int, most: int) -> int:
    return max(number for number in range(1, of + 1) if of % number == 0 and number <= most)


def _times(cron: str, timezone: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    if len(cron.split()) != len(FIELDS):  # cronsim takes a sixth, of seconds
        raise InvalidInput(f"cron is {cron!r}; it must have five fields: {', '.join(FIELDS)}.")
    if timezone not in _zones():
        raise InvalidInput(f"timezone is {timezone!r}; it may be any IANA time zone, such as Europe/Berlin.")
    try:
        times = CronSim(cron, start.astimezone(ZoneInfo(timezone)), reverse)
    except CronSimError as error:
        raise InvalidInput(f"cron is {cron!r}: {str(error).lower()}.") from None
    return (local.astimezone(UTC) for local in times)


@cache
def _zones() -> set[str]:
    return available_timezones()
