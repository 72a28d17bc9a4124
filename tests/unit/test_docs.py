"""What the README and docs name is there: settings, commands, endpoints, targets and links; and SQL runs."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from app.cli.main import main
from app.config import PREFIX, TIMED, Config
from app.models.base import database
from app.web.application import create_app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
CLIENT = {"YTRAG_SERVER", "YTRAG_API_KEY"}
SETTINGS = {PREFIX + setting.name.upper() for setting in fields(Config) if "read" in setting.metadata}
TIME_LIMITS = {f"{PREFIX}STAGE_TIME_LIMIT_{stage}_S" for stage in ("<STAGE>", *map(str.upper, TIMED))}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code_of(page: Path) -> list[str]:
    """Each line of the page's blocks of code, and each piece of code in its text."""
    text = page.read_text()
    inline = re.findall(r"`([^`]+)`", FENCE.sub("", text))
    return [line for _, block in FENCE.findall(text) for line in block.splitlines()] + [
        " ".join(piece.split()) for piece in inline
    ]


@every_page
def test_every_setting_that_is_named_is_known(page: Path) -> None:
    named = set(re.findall(r"YTRAG_(?:[A-Z]|_(?=[A-Z<])|<STAGE>)+", page.read_text()))

    known = SETTINGS | TIME_LIMITS | CLIENT | {"YTRAG_DOMAIN", "YTRAG_SECRETS"}
    assert {name for name in named if name not in known and not name.startswith("YTRAG_TEST")} == set()


@every_page
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    assert [line for line in code_of(page) for words in commands_in(line) if not is_command(words)] == []


def commands_in(line: str) -> Iterator[list[str]]:
    """The words behind each `ytrag` of the line, up to a comment or the next command."""
    account = "".join(
        rf"(?<!{before})" for before in ("-p ", "-u ", "_vhost ", "_user ", "_tags ", "lib/", "ytrag ")
    )
    for found in re.finditer(rf"{account}\bytrag ([^#|;&>]*)", line):
        yield [word.strip("()'\"") for word in found[1].partition("$(")[0].split()]


def is_command(words: list[str]) -> bool:
    command: click.Command = main
    for word in words:
        if word.startswith("--"):
            names = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
            if word.partition("=")[0] not in {*names, "--help", "--version"}:
                return False
        elif isinstance(command, click.Group) and word != "…":
            named = command.get_command(click.Context(command), word)
            if named is None:
                return False
            command = named
    return True


@every_page
def test_every_endpoint_that_is_named_is_served(page: Path, tmp_path: Path) -> None:
    rules = list(create_app(Config(data_dir=tmp_path)).url_map.iter_rules())
    database.close()
    served = {(method, pattern(rule.rule)) for rule in rules for method in rule.methods or ()}
    served |= {("", path) for _, path in served}

    named = [(method, path) for line in code_of(page) for method, path in endpoints_in(line)]

    assert [(method, path) for method, path in named if (method, pattern(path)) not in served] == []


def endpoints_in(line: str) -> list[tuple[str, str]]:
    path = r"/(?:api/[\w{}/.…<>-]+|healthz|readyz)"
    return re.findall(rf"(?:\b({'|'.join(METHODS)}) )?({path})", line)


def pattern(path: str) -> str:
    """The path with a star for whatever stands for an id."""
    return re.sub(r"(?<=/)(?:\{\w+\}|<\w+>|01K…|…)(?=/|$)", "*", path.rstrip("."))


@every_page
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {name for line in code_of(page) for name in re.findall(r"(?:^|[;&(] ?)make ([a-z-]+)", line)}

    assert named <= targets


@every_page
def test_every_relative_link_leads_to_a_page_and_its_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)", page.read_text())

    for path, anchor in links:
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors_of(target), f"{path}#{anchor}"


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_sql_statement_runs(page: Path, tmp_path: Path) -> None:
    create_app(Config(data_dir=tmp_path))

    for language, block in FENCE.findall(page.read_text()):
        for statement in re.sub("--.*", "", block).split(";") if language == "sql" else ():
            if statement.strip():
                database.execute_sql(statement)
    database.close()
