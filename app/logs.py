"""Log lines that bear the job, stage and attempt they belong to."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType

_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default=MappingProxyType({}))
_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Put these fields on every line logged inside the block, by this thread."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def set_up(log_format: str) -> None:
    """Send all logging to standard error, as 'text' or as 'json' lines."""
    target = logging.StreamHandler(sys.stderr)
    target.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[target], force=True)
    for noisy in (
        "httpx",
        "faster_whisper",
        "sentence_transformers",
        "peewee.migrations",
        "waitress.queue",
        "pika",
        "faiss",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("dramatiq").setLevel(logging.ERROR)  # each attempt has a line of our own


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {**_bound.get(), **{name: value for name, value in vars(record).items() if name not in _ORDINARY}}


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"at": _moment(record), "level": record.levelname.lower(), "logger": record.name}
        line |= {"message": record.getMessage(), **_fields(record)}  # type: ignore[dict-item]  # any JSON value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """One line for people: time, level, message, fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = f"{_moment(record)} {record.levelname:7} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
