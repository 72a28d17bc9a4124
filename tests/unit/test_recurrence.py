"""When a cron line comes, in which zone, and around the hours that a zone skips or repeats."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.errors import InvalidInput
from app.services.recurrence import every, latest_time, next_time

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron: str, zone: str, after: str, count: int = 3) -> list[str]:
    """The next times as the zone's clocks show them, with their offset from UTC in hours."""
    moment, shown = utc(after), []
    for _ in range(count):
        moment = next_time(cron, zone, moment)
        local = moment.astimezone(ZoneInfo(zone))
        shown.append(f"{local:%m-%d %H:%M} {local:%z}"[:-2])
    return shown


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("*/20 * * * *", "UTC", ["03-01 12:20 +00", "03-01 12:40 +00", "03-01 13:00 +00"]),
        ("0 6 * * *", "UTC", ["03-02 06:00 +00", "03-03 06:00 +00", "03-04 06:00 +00"]),
        ("0 6 * * *", BERLIN, ["03-02 06:00 +01", "03-03 06:00 +01", "03-04 06:00 +01"]),
        ("0 6 * * *", "Asia/Tokyo", ["03-02 06:00 +09", "03-03 06:00 +09", "03-04 06:00 +09"]),
        ("0 6 * * *", "America/New_York", ["03-02 06:00 -05", "03-03 06:00 -05", "03-04 06:00 -05"]),
        ("0 6 31 * *", "UTC", ["03-31 06:00 +00", "05-31 06:00 +00", "07-31 06:00 +00"]),
        ("0 6 L * *", "UTC", ["03-31 06:00 +00", "04-30 06:00 +00", "05-31 06:00 +00"]),
        ("0 6 13 * fri", "UTC", ["03-06 06:00 +00", "03-13 06:00 +00", "03-20 06:00 +00"]),
        ("0 6 13 4 mon", "UTC", ["04-06 06:00 +00", "04-13 06:00 +00", "04-20 06:00 +00"]),
    ],
)
def test_a_line_comes_at_the_times_it_names_by_the_clocks_of_its_zone(
    cron: str, zone: str, expected: list[str]
) -> None:
    assert times(cron, zone, "2026-03-01T12:00") == expected


@pytest.mark.parametrize("sunday", ["0", "7", "SUN", "sun"])
def test_sunday_is_0_and_7(sunday: str) -> None:
    assert times(f"0 6 * * {sunday}", "UTC", "2026-03-02T00:00", 2) == ["03-08 06:00 +00", "03-15 06:00 +00"]


@pytest.mark.parametrize(
    ("day", "first"), [("1", "03-02"), ("2", "03-03"), ("6", "03-07"), ("5-7", "03-06"), ("1-5", "03-02")]
)
def test_week_days_count_from_monday_as_1(day: str, first: str) -> None:
    assert times(f"0 6 * * {day}", "UTC", "2026-03-02T00:00", 1) == [f"{first} 06:00 +00"]


def test_the_29th_of_february_waits_for_a_leap_year() -> None:
    assert next_time("0 0 29 2 *", "UTC", utc("2026-03-01")) == utc("2028-02-29")


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # On 29 March the clocks of Berlin go from 02:00 to 03:00.
        ("30 2 * * *", "2026-03-28T00:00", ["03-28 02:30 +01", "03-29 03:00 +02", "03-30 02:30 +02"]),
        ("0,30 2,3 * * *", "2026-03-29T00:00", ["03-29 03:00 +02", "03-29 03:30 +02", "03-30 02:00 +02"]),
        ("0 * * * *", "2026-03-29T00:00", ["03-29 03:00 +02", "03-29 04:00 +02", "03-29 05:00 +02"]),
        ("*/30 2 * * *", "2026-03-28T12:00", ["03-30 02:00 +02", "03-30 02:30 +02", "03-31 02:00 +02"]),
        # On 25 October they go from 03:00 back to 02:00, which is 01:00 in UTC.
        ("30 2 * * *", "2026-10-24T00:00", ["10-24 02:30 +02", "10-25 02:30 +02", "10-26 02:30 +01"]),
        ("30 2 * * *", "2026-10-25T01:10", ["10-26 02:30 +01", "10-27 02:30 +01", "10-28 02:30 +01"]),
        ("0 * * * *", "2026-10-24T23:30", ["10-25 02:00 +02", "10-25 02:00 +01", "10-25 03:00 +01"]),
        ("*/30 2 * * *", "2026-10-25T00:10", ["10-25 02:30 +02", "10-25 02:00 +01", "10-25 02:30 +01"]),
    ],
)
def test_a_named_time_neither_vanishes_nor_doubles_when_clocks_are_changed(
    cron: str, after: str, expected: list[str]
) -> None:
    assert times(cron, BERLIN, after) == expected


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 */2 * * *", "*/15 * * * *", "0 0 * * *"])
@pytest.mark.parametrize("zone", [BERLIN, "America/Havana", "America/New_York", "Asia/Kathmandu"])
def test_the_latest_time_is_one_of_the_times(cron: str, zone: str) -> None:
    moments = [utc("2026-02-28T12:00")]
    while moments[-1] < utc("2026-04-10"):
        moments.append(next_time(cron, zone, moments[-1]))

    for earlier, later in pairwise(moments[1:]):
        assert latest_time(cron, zone, earlier) == earlier
        assert latest_time(cron, zone, later - timedelta(microseconds=1)) == earlier


@pytest.mark.parametrize(
    ("cron", "named"),
    [
        ("* * * *", "five fields"), ("0 * * * * *", "five fields"), ("", "five fields"),
        ("@daily", "five fields"), ("60 * * * *", "minute"), ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"), ("-1 * * * *", "minute"), ("1,,2 * * * *", "minute"),
        ("a * * * *", "minute"), ("* 24 * * *", "hour"), ("* * 0 * *", "day-of-month"),
        ("* * 32 * *", "day-of-month"), ("0 0 30 2 *", "day-of-month"), ("* * * 13 *", "month"),
        ("* * * * 8", "day-of-week"), ("* * * * MONDAY", "day-of-week"),
    ],
)  # fmt: skip
def test_what_is_no_cron_line_is_refused_by_the_field_that_is_wrong(cron: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=named) as refused:
        next_time(cron, "UTC", utc("2026-03-01"))

    assert repr(cron) in refused.value.detail


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "CEST", "", "+02:00", "../UTC", "/etc/localtime", "Europe", "a\0b"]
)
def test_an_unknown_zone_is_refused_by_its_name(zone: str) -> None:
    with pytest.raises(InvalidInput, match="timezone is") as refused:
        next_time("* * * * *", zone, utc("2026-03-01"))

    assert repr(zone) in refused.value.detail


@pytest.mark.parametrize(
    ("interval_s", "cron"),
    [
        (1, "*/1 * * * *"), (600, "*/10 * * * *"), (1700, "*/20 * * * *"), (3600, "0 */1 * * *"),
        (5 * 3600, "0 */4 * * *"), (86_400, "0 */24 * * *"), (9_000_000, "0 */24 * * *"),
    ],
)  # fmt: skip
def test_an_interval_becomes_the_line_that_comes_at_least_as_often(interval_s: float, cron: str) -> None:
    assert every(interval_s) == cron
    first = next_time(cron, "UTC", utc("2026-03-01T00:00"))
    assert next_time(cron, "UTC", first) - first <= timedelta(seconds=max(60, interval_s))
