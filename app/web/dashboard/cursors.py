"""Where a page of messages ends, as the whole number that the stock pages hand on."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ID_BYTES = 36
MOST = 10**120


def write(after: tuple[datetime, str]) -> int:
    """The number for a moment and a message's id."""
    micros = (after[0] - EPOCH) // timedelta(microseconds=1)
    return micros << 8 * ID_BYTES | int.from_bytes(after[1].encode().ljust(ID_BYTES)[:ID_BYTES])


def read(cursor: int) -> tuple[datetime, str] | None:
    """The moment and id of the number; None for 0, the first page. ValueError for what is none of ours."""
    if cursor == 0:
        return None
    if not 0 < cursor < MOST:
        raise ValueError(cursor)
    try:
        micros, rest = cursor >> 8 * ID_BYTES, cursor & (1 << 8 * ID_BYTES) - 1
        moment, message_id = EPOCH + timedelta(microseconds=micros), rest.to_bytes(ID_BYTES).decode("ascii")
    except (OverflowError, UnicodeDecodeError) as error:
        raise ValueError(cursor) from error
    if not message_id.isprintable():
        raise ValueError(cursor)
    return moment, message_id.rstrip()
