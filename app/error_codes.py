"""Errors by their codes, which is how rows, answers and child processes name them."""

from datetime import datetime
from typing import Any

import app.source_errors  # noqa: F401  # its classes are part of the tree once they are loaded
from app.errors import StageError, UnexpectedError, YtragError


def every() -> list[type[YtragError]]:
    """The whole tree, parents before children."""
    found = [YtragError]
    for known in found:
        found += known.__subclasses__()
    return found


def by_code(code: str) -> type[YtragError]:
    """The error that has this code; YtragError where none has."""
    own = (known for known in reversed(every()) if vars(known).get("code") == code)
    return next(own, YtragError)


def stage_codes() -> list[str]:
    """Every code with which a stage can fail."""
    named = [kind for kind in every() if issubclass(kind, StageError) and "code" in vars(kind)]
    return sorted({kind.code for kind in named})


def told(error: StageError) -> dict[str, Any]:
    """The error as JSON takes it."""
    fields = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in vars(error).items()
    }
    return {"code": error.code, **fields}


def rebuilt(told: dict[str, Any]) -> StageError:
    """The error that was told."""
    fields = dict(told)
    kind = by_code(fields.pop("code"))
    if fields.get("not_before"):
        fields["not_before"] = datetime.fromisoformat(fields["not_before"])
    return kind(**fields) if issubclass(kind, StageError) else UnexpectedError(fields["detail"])
