"""What the commands share: exit codes, printing, and errors as a sentence with a next step."""

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import click
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.connection import RequestRefused, ServerUnreachable
from app.errors import InvalidInput, InvalidSetting, YtragError

P = ParamSpec("P")
FAILED, USAGE, UNREACHABLE, REFUSED, INTERRUPTED = 1, 2, 3, 4, 130
CODES = {ServerUnreachable: UNREACHABLE, RequestRefused: REFUSED, InvalidSetting: USAGE, InvalidInput: USAGE}

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def guarded(function: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into a sentence, a next step and an exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KeyboardInterrupt:
            err.print("Interrupted; what the server has accepted goes on.")
            sys.exit(INTERRUPTED)
        except YtragError as error:
            if kwargs.get("as_json"):
                click.echo(
                    json.dumps({"code": error.code, "detail": error.detail, "hint": error.hint}), err=True
                )
                sys.exit(CODES.get(type(error), FAILED))
            err.print(f"[red]{error.code}[/]: {escape(error.detail)}\n{escape(error.hint)}", soft_wrap=True)
            sys.exit(CODES.get(type(error), FAILED))

    return run


def show(answer: BaseModel, text: str | Table, *, as_json: bool) -> None:
    """Print the answer: as JSON, or as a text or table for people."""
    if as_json:
        click.echo(json.dumps(answer.model_dump(mode="json"), indent=2, ensure_ascii=False))
    elif isinstance(text, Table):
        out.print(text)
    else:
        out.print(text, markup=False, soft_wrap=True)


def say(fields: dict[str, Any], text: str | Table, *, as_json: bool) -> None:
    """Print what this machine did, likewise."""
    if as_json:
        click.echo(json.dumps(fields, indent=2, ensure_ascii=False, default=str))
    else:
        out.print(text if isinstance(text, Table) else escape(text), soft_wrap=True)
