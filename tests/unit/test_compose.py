"""What docker-compose.yml and the image say agrees with the program; nothing is started."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from actors.worker import GRACE_S
from app.cli.main import main
from app.config import LOOPBACK, PREFIX, Config
from deploy.tools.compose import ROOT, MissingVariable, Service, fill, here, our_services

FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
PASSWORDS = {"MYSQL_PASSWORD": "one", "MYSQL_ROOT_PASSWORD": "two", "RABBITMQ_PASSWORD": "three"}
COMPOSE: dict[str, Any] = fill(FILE, PASSWORDS)
OURS = our_services(PASSWORDS, {})
NOT_SET = {
    "server_name",  # each container's own
    "stage_time_limits_s",  # not one variable
}


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def mounts() -> Iterator[str]:
    """The sources of all mounts: names of volumes, and paths that begin with a dot."""
    for service in COMPOSE["services"].values():
        yield from (mount.partition(":")[0] for mount in service["volumes"])


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_every_command_is_one_of_the_programs_with_settings_that_it_takes(service: Service) -> None:
    program, name, *arguments = service.command

    config = Config.from_env(service.environment)

    assert program == "ytrag"
    main.commands[name].make_context(name, arguments)
    assert (config.env, config.is_open()) == ("production", False)
    assert config.storage().startswith(f"file://{config.data_dir}/")


def test_every_pool_has_its_workers_and_there_are_two_dispatchers() -> None:
    pools = [service.command[2:] for service in OURS if service.command[1] == "worker"]

    assert sorted(pools) == sorted([name] for name in Config().pools())
    assert [service.replicas for service in OURS if service.command[1] == "dispatcher"] == [2]


def test_the_containers_are_given_every_setting_and_no_other_variable_of_ours() -> None:
    known = {PREFIX + setting.name.upper() for setting in fields(Config) if setting.name not in NOT_SET}

    assert set(FILE["x-ytrag"]["environment"]) == known, "add it to docker-compose.yml, or here to NOT_SET"
    assert set(re.findall(r"\bYTRAG_\w+", (ROOT / "deploy/example.env").read_text())) <= known


def test_a_setting_of_the_user_reaches_the_containers_as_it_is() -> None:
    wishes = {"YTRAG_COOKIES_FILE": "/data/8000/$x", "YTRAG_LOG_FORMAT": "text", "YTRAG_PROXY": ""}

    environment = our_services(PASSWORDS | wishes, here(Path("/srv"), 9, "mysql://a$b@c/d", "amqp://"))[
        0
    ].environment

    assert environment["YTRAG_COOKIES_FILE"] == "/data/8000/$x"
    assert environment["YTRAG_LOG_FORMAT"] == "text"
    assert "YTRAG_PROXY" not in environment
    assert environment["YTRAG_DATABASE_URL"] == "mysql://a$b@c/d"


@pytest.mark.parametrize("name", ["MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD", "RABBITMQ_PASSWORD"])
def test_a_password_that_is_not_given_stops_the_start(name: str) -> None:
    with pytest.raises(MissingVariable, match=name):
        fill(FILE, PASSWORDS | {name: ""})


def test_the_example_lists_every_password_and_holds_none() -> None:
    lines = (ROOT / "deploy/example.env").read_text().splitlines()

    assert {line for line in lines if line and not line.startswith("#")} == {f"{name}=" for name in PASSWORDS}
    assert set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text())) == set(PASSWORDS)


def test_every_path_that_is_mounted_or_copied_exists() -> None:
    mounted = [path for path in mounts() if path.startswith(".")]
    copied = [
        path
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for path in line.split()
    ]

    assert mounted
    assert copied
    assert [path for path in mounted + copied if not (ROOT / path).exists()] == []
    assert {name for name in mounts() if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert (ROOT / COMPOSE["services"]["api"]["build"]["dockerfile"]).is_file()


def test_only_the_api_is_published_on_loopback_at_the_port_it_listens_on() -> None:
    api = Config.from_env(OURS[0].environment)

    assert {name: told["ports"] for name, told in COMPOSE["services"].items() if "ports" in told} == {
        "api": [f"127.0.0.1:8000:{api.port}"]
    }
    assert api.host not in LOOPBACK
    assert f"EXPOSE {api.port}\n" in DOCKERFILE
    assert f"127.0.0.1:{api.port}/readyz" in OURS[0].health[-1]


def test_the_urls_lead_to_the_servers_and_accounts_that_are_made() -> None:
    config, servers = Config.from_env(OURS[0].environment), COMPOSE["services"]
    mysql, rabbitmq = servers["mysql"]["environment"], servers["rabbitmq"]["environment"]

    for url, names in (
        (
            config.database_url,
            (mysql["MYSQL_USER"], mysql["MYSQL_PASSWORD"], "mysql", mysql["MYSQL_DATABASE"]),
        ),
        (
            config.broker_url,
            (
                rabbitmq["RABBITMQ_DEFAULT_USER"],
                rabbitmq["RABBITMQ_DEFAULT_PASS"],
                "rabbitmq",
                rabbitmq["RABBITMQ_DEFAULT_VHOST"],
            ),
        ),
    ):
        parts = urlsplit(url)
        assert (parts.username, parts.password, parts.hostname, parts.path[1:]) == names


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_each_of_ours_waits_for_its_servers_and_is_given_time_to_stop(service: Service) -> None:
    told = COMPOSE["services"][service.name]
    needed = {"mysql"} if service.name in ("api", "exporter") else {"mysql", "rabbitmq"}

    assert told["depends_on"] == {name: {"condition": "service_healthy"} for name in needed}
    assert (
        seconds(told["stop_grace_period"]) > Config.from_env(service.environment).shutdown_timeout_s + GRACE_S
    )
    assert bool(service.health) == (service.name == "api")


def test_everything_starts_again_and_both_servers_are_asked_for_their_health() -> None:
    services = COMPOSE["services"]

    assert {told["restart"] for told in services.values()} == {"unless-stopped"}
    assert services["mysql"]["healthcheck"]["test"][0] == "CMD-SHELL"
    assert services["rabbitmq"]["healthcheck"]["test"][1] == "rabbitmq-diagnostics"


def test_the_image_does_not_run_as_root_and_installs_from_the_locks() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]

    assert re.search(r"^USER [1-9]\d*$", final, re.MULTILINE)
    assert "HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 " in final
    installs = re.findall(r"^RUN pip install (.+)$", DOCKERFILE, re.MULTILINE)
    assert [install.split()[-1] for install in installs] == ["torch.txt", "runtime.txt", "."]
    assert all("--no-deps" in install for install in installs)
    assert "--require-hashes" in installs[1]
