"""Our own services as docker-compose.yml and the image describe them."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<word>[^}]*))?\})")
HEALTHCHECK = re.compile(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", re.MULTILINE)


class MissingVariable(Exception):
    """A variable that the file cannot do without is not set."""


@dataclass(frozen=True)
class Service:
    """What one of our services runs, and the image's command that tells whether it serves; none: its own.

    once: it ends by itself, before others start. profiles: it runs only where one of them is asked for.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    health: list[str]
    replicas: int
    once: bool
    profiles: list[str]


def our_services(variables: Mapping[str, str], table: Mapping[str, str]) -> list[Service]:
    """The services that run our program, in the file's order, with what the table's patterns match replaced.

    A setting without a value is the variable's of its name; MissingVariable where ${NAME:?} has none.
    """
    services = yaml.safe_load(_replaced(ROOT / "docker-compose.yml", table))["services"]
    found = HEALTHCHECK.search(_replaced(ROOT / "deploy/Dockerfile", table))
    health = json.loads(found[1]) if found else []
    return [
        Service(
            name=name,
            command=shlex.split(told["command"]),
            environment=_environment(told["environment"], variables),
            health=[] if "healthcheck" in told else health,
            replicas=told.get("deploy", {}).get("replicas", 1),
            once=told["restart"] == "no",
            profiles=told.get("profiles", []),
        )
        for name, told in services.items()
        if str(told.get("command", "")).startswith("ytrag ")
    ]


def here(data: Path, secrets: Path, port: int) -> dict[str, str]:
    """What stands in the containers' files, as patterns, and what stands for it on this machine."""
    return {
        r"/run/secrets\b": str(secrets),
        r"http://egress:3128": "",  # here is no other way out, and the talk comes from loopback
        r"/var/tmp\b": str(data),  # noqa: S108  # the container's
        r"/data\b": str(data),
        r"\b0\.0\.0\.0\b": "127.0.0.1",
        r"\b8000\b": str(port),
    }


def fill(part: Any, variables: Mapping[str, str]) -> Any:
    """Replace ${NAME}, ${NAME:-word} and ${NAME:?word} in all values, as Compose does."""
    if isinstance(part, dict):
        return {name: fill(value, variables) for name, value in part.items()}
    if isinstance(part, list):
        return [fill(value, variables) for value in part]
    return VARIABLE.sub(lambda found: _value(found, variables), part) if isinstance(part, str) else part


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if not found["name"]:
        return "$"
    value = variables.get(found["name"], "")
    if not value and found["sign"] == "?":
        raise MissingVariable(f"{found['name']}: {found['word']}")
    return value or (found["word"] if found["sign"] == "-" else "")


def _environment(told: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    filled = {name: variables.get(name, "") if value is None else value for name, value in told.items()}
    return {name: str(value) for name, value in fill(filled, variables).items() if value != ""}


def _replaced(path: Path, table: Mapping[str, str]) -> str:
    """The file's text after one pass, so that nothing replaces what another line of the table has put in."""
    text, words = path.read_text(), [word.replace("$", "$$") for word in table.values()]
    patterns = "|".join(f"({pattern})" for pattern in table)
    return re.sub(patterns, lambda found: words[(found.lastindex or 0) - 1], text) if table else text
