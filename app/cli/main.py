"""The command line: talks to a server, except for what concerns this machine."""

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from app import config
from app.cli.output import guarded
from app.errors import InvalidSetting
from monitoring import processes

ELSEWHERE = {
    "admins": "admin:admins",
    "batches": "batches:batches",
    "bulk": "jobs:bulk",
    "cancel": "jobs:cancel",
    "context": "library:context",
    "db": "admin:db",
    "delete": "library:delete_video",
    "doctor": "admin:doctor",
    "events": "webhooks:events",
    "export": "library:export",
    "jobs": "jobs:jobs",
    "keys": "admin:keys",
    "models": "admin:models",
    "reindex": "admin:reindex",
    "retry": "jobs:retry",
    "schedules": "schedules:schedules",
    "search": "library:search",
    "sources": "sources:sources",
    "status": "jobs:status",
    "submit": "jobs:submit",
    "videos": "library:videos",
    "watch": "jobs:watch",
    "webhooks": "webhooks:webhooks",
}
"""The commands that are not in this file."""


class Commands(click.Group):
    """Imports what lies elsewhere when it is asked for: `ytrag worker` starts without what `search` needs."""

    def list_commands(self, context: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted([*super().list_commands(context), *ELSEWHERE])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if name not in ELSEWHERE:
            return super().get_command(context, name)
        module, _, attribute = ELSEWHERE[name].partition(":")
        command: click.Command = getattr(import_module(f"app.cli.{module}"), attribute)
        return command


@click.group(cls=Commands)
@click.version_option(package_name="youtube-rag")
def main() -> None:
    """Turn videos into knowledge that can be searched.

    Commands speak to the server at YTRAG_SERVER (default http://127.0.0.1:8000) with the key in
    YTRAG_API_KEY; up, serve, doctor, models, db, keys, admins and reindex work on this machine's settings.

    Every command that prints takes --json; errors are then JSON too, on standard error.

    Exit codes: 0 done, 1 the job failed or nothing was found, 2 wrong usage or setting, 3 no server answers,
    4 the server refused, 130 interrupted.
    """


@main.command()
@guarded
def up() -> None:
    """Run everything in one process: API, dispatcher and workers."""
    if config.current().broker_url:
        raise InvalidSetting(
            "YTRAG_BROKER_URL is set, but 'ytrag up' brings its own broker; unset it, or run "
            "'ytrag serve', 'ytrag worker' and 'ytrag dispatcher'."
        )
    _become("-m", "actors.embedded")


@main.command()
@guarded
def serve() -> None:
    """Run the API alone, beside an 'up' on the same data."""
    settings = config.current()
    bind = (
        f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
    )
    if settings.metrics_port:  # before anything is imported that counts
        try:
            folder = processes.fresh_folder(settings.metrics_host, settings.metrics_port)
        except OSError as error:
            raise InvalidSetting(f"{error}.") from None
        os.environ[processes.FOLDER] = str(folder)
    _become(
        *("-m", "gunicorn", "app.wsgi:app", "--bind", bind, "--no-control-socket"),
        *("--config", "python:app.gunicorn_conf"),
        *("--worker-class", "gthread", "--timeout", "120"),
    )


@main.command()
@click.argument("pools", nargs=-1)
@guarded
def worker(*, pools: tuple[str, ...]) -> None:
    """Run worker processes: of all pools, or of those named (io, media, asr, light)."""
    _need_broker("worker")
    _become("-m", "actors.worker", *pools)


@main.command()
@guarded
def dispatcher() -> None:
    """Move due work from the database to RabbitMQ; any number may run."""
    _need_broker("dispatcher")
    _become("-m", "actors.dispatcher")


@main.command()
@guarded
def exporter() -> None:
    """Tell Prometheus, at YTRAG_METRICS_PORT, what the database and the disks hold."""
    _become("-m", "actors.exporter")


def _need_broker(command: str) -> None:
    if not config.current().broker_url:
        raise InvalidSetting(
            f"YTRAG_BROKER_URL is empty, so the broker lives inside 'ytrag up'; for 'ytrag {command}' "
            "it has to be amqp://user:password@host:5672/vhost."
        )


def _become(*arguments: str) -> NoReturn:
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606  # a shell would be one process more


if __name__ == "__main__":
    main()
