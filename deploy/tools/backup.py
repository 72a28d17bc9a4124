"""Saves a house and puts it back: python -m deploy.tools.backup save|restore FOLDER.

Of the settings' database and files; the rest can be made anew from them. A copy may be taken while everything
runs: the database as of one moment, and each file that was there before and after it.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import fsspec

from app import config
from app.config import Config
from app.errors import YtragError
from app.models import schema
from app.models.base import connect, database, is_sqlite
from app.services import indexing

FILES = "files"


class BackupRefused(YtragError):
    """What was asked for would overwrite something, or lacks something."""

    code = "backup_refused"
    hint = "docs/operating.md, 'Backup and restore', tells what each of the two needs."


def save(settings: Config, folder: Path) -> None:
    """Make the folder, whole or not at all, with a copy of the database and of the files."""
    if folder.exists():
        raise BackupRefused(f"{folder} is there already; name a new folder.")
    part = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)  # it holds what users said, and hashes of keys and passwords
    connect(settings.database())
    _copy_files(settings.storage(), part / FILES)
    if is_sqlite():
        with (
            closing(sqlite3.connect(database.database)) as source,
            closing(sqlite3.connect(part / "ytrag.db")) as copy,
        ):
            source.backup(copy)
    else:
        with (part / "ytrag.sql").open("wb") as copy:
            _run([*_program("dump"), "--single-transaction", "--quick", "--no-tablespaces"], stdout=copy)
    _copy_files(settings.storage(), part / FILES)  # what came while the database was copied
    part.rename(folder)


def restore(settings: Config, folder: Path) -> int:
    """Put what save() made where the settings point, and build the index; returns the count of its videos."""
    connect(settings.database())
    dump = folder / ("ytrag.db" if is_sqlite() else "ytrag.sql")
    if not dump.is_file():
        raise BackupRefused(f"{dump} is not there: it is no backup of such a database.")
    if Path(database.database).exists() if is_sqlite() else database.get_tables():
        raise BackupRefused("The database that YTRAG_DATABASE_URL names is not empty; name a new one.")
    _copy_files(str(folder / FILES), settings.storage())
    if is_sqlite():
        target = Path(database.database)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(dump, part := target.with_suffix(".partial"))
        part.rename(target)
    else:
        with dump.open("rb") as source:
            _run(_program(""), stdin=source)
    schema.upgrade(settings)
    return indexing.rebuild()


def _copy_files(source: str, target: str | Path) -> None:
    """Copy what lies below one URL below the other, where it is not yet."""
    (theirs, root), (ours, there) = fsspec.core.url_to_fs(source), fsspec.core.url_to_fs(str(target))
    for name in theirs.find(root) if theirs.exists(root) else ():
        copy = f"{there}/{name.removeprefix(root).lstrip('/')}"
        if ours.exists(copy):
            continue
        ours.makedirs(copy.rpartition("/")[0], exist_ok=True)
        try:
            with theirs.open(name, "rb") as whole, ours.open(copy, "wb") as written:
                shutil.copyfileobj(whole, written, 1024 * 1024)
        except FileNotFoundError:  # its job has ended since
            ours.rm(copy)


def _program(kind: str) -> list[str]:
    """MariaDB's or MySQL's own client or dump, and where the database is."""
    names = [f"{base}{kind}" for base in ("mariadb-", "mysql")] if kind else ["mariadb", "mysql"]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise BackupRefused(f"Neither {' nor '.join(names)} is here; install MySQL's or MariaDB's client.")
    where = database.connect_params
    return [
        found,
        f"--host={where['host']}",
        f"--port={where['port']}",
        f"--user={where['user']}",
        database.database,
    ]


def _run(command: list[str], **streams: object) -> None:
    environment = {**os.environ, "MYSQL_PWD": database.connect_params["password"]}
    ended = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, **streams)  # type: ignore[call-overload]
    if ended.returncode:
        raise BackupRefused(f"{Path(command[0]).name} ended with {ended.returncode}: {ended.stderr.strip()}")


def main() -> None:
    """As the module's text says."""
    match sys.argv[1:]:
        case ["save", folder]:
            save(config.current(), Path(folder))
            print(f"Saved in {folder}")
        case ["restore", folder]:
            print(f"Restored; the index holds {restore(config.current(), Path(folder))} videos")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except YtragError as refused:
        sys.exit(f"backup: {refused.detail} {refused.hint}")
