"""Writes docs/errors.md from the errors themselves: python -m deploy.tools.errors."""

from pathlib import Path

from app import error_codes, errors, refusals  # noqa: F401  # these declare errors of their own
from app.errors import StageError, YtragError
from app.web.errors import CODES, status_of

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
HEAD = """# Error codes

<!-- written by python -m deploy.tools.errors -->

Every refused request is answered by an RFC 9457 problem (`application/problem+json`), and every failed job
carries the same: a stable `code`, a sentence (`detail`) and what to do (`hint`). Programs go by `code`;
sentences may change.
"""
REQUESTS = """
## Of requests

Where sending the same request again may help, `Retry-After` says in how many seconds.

| code | HTTP | what | what to do |
|---|---|---|---|
"""
JOBS = """
## Of jobs

In a job's `error`, in its stages and in webhooks. Those that may pass are tried again after
`YTRAG_RETRY_DELAYS_S` before the job fails; the others fail it at once.

| code | may pass | what | what to do |
|---|---|---|---|
"""
STARTS = """
## Of starts

| code | what | what to do |
|---|---|---|
"""
HTTP = "As HTTP has it."
MODULES = ("app.errors", "app.refusals")


def every(kind: type[YtragError]) -> list[type[YtragError]]:
    """The error and all below it."""
    return [kind, *(found for sub in kind.__subclasses__() for found in every(sub))]


def page() -> str:
    """The page."""
    stages = {kind.code: kind for kind in every(StageError) if kind is not StageError}
    refused = {
        kind.code: kind
        for kind in every(YtragError)
        if kind.__module__ in MODULES and not issubclass(kind, StageError | errors.InvalidSetting)
    }
    rows = {code: (str(status_of(kind)), kind.__doc__ or "", kind.hint) for code, kind in refused.items()}
    internal = (errors.UnexpectedError.__doc__ or "", YtragError.hint)
    rows["internal_error"] = ("500", *internal)
    for code in ("model_unavailable", "no_space"):
        rows[code] = (str(status_of(stages[code])), stages[code].__doc__ or "", stages[code].hint)
    for status, code in CODES.items():
        rows.setdefault(code, (str(status), HTTP, "See /api/docs for what this server answers."))
    del stages["internal_error"]
    jobs = [
        (code, "yes" if kind.retryable else "no", kind.__doc__ or "", kind.hint)
        for code, kind in sorted(stages.items())
    ]
    jobs.append(("internal_error", "yes", *internal))
    setting = errors.InvalidSetting
    return (
        HEAD
        + REQUESTS
        + "".join(_row(code, *row) for code, row in sorted(rows.items()))
        + JOBS
        + "".join(_row(*row) for row in jobs)
        + STARTS
        + _row(setting.code, setting.__doc__ or "", setting.hint)
    )


def _row(code: str, *cells: str) -> str:
    return (
        f"| `{code}` | " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Written: {PAGE.name}")
