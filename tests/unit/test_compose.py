"""What docker-compose.yml and the image say agrees with the program; nothing is started."""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import fields
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from actors.worker import GRACE_S
from app.config import LOOPBACK, PREFIX, TIMED, Config
from deploy.tools.compose import ROOT, MissingVariable, Service, fill, here, our_services
from tests.words import parse

FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
SECRETS = {"YTRAG_SECRETS": "./secrets"}
COMPOSE: dict[str, Any] = fill(FILE, SECRETS)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = our_services(SECRETS, {})
NOT_SET = {
    "server_name",  # each container's own
    "stage_time_limits_s",  # not one variable
    "database_url", "broker_url",  # in files
}  # fmt: skip
OF_IO = {"YTRAG_PROXY", "YTRAG_WEBHOOK_PROXY"}
SMALLEST_CORES = 2
WITH_A_WAY_OUT = {"egress", "alertmanager", "caddy"}


@pytest.fixture
def config_of(tmp_path: Path) -> Callable[[Service], Config]:
    """Reads a service's settings as its container does, from secrets as `make secrets` makes them."""
    subprocess.run([ROOT / "deploy/secrets.sh", tmp_path], check=True, capture_output=True)
    return lambda service: Config.from_env(
        {name: re.sub("^/run/secrets", str(tmp_path), value) for name, value in service.environment.items()}
    )


def networks(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def mounts() -> Iterator[str]:
    """The sources of all mounts: names of volumes, and paths that begin with a dot."""
    for service in SERVICES.values():
        yield from (mount.partition(":")[0] for mount in service.get("volumes", []) if ":" in mount)


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_every_command_is_one_of_the_programs_with_settings_that_it_takes(
    service: Service, config_of: Callable[[Service], Config]
) -> None:
    program, name, *arguments = service.command

    config = config_of(service)

    assert program == "ytrag"
    parse([name, *arguments])
    assert (config.env, config.is_open()) == ("production", False)
    assert config.storage().startswith(f"file://{config.data_dir}/")
    assert {"database_url", "broker_url"} <= set(SERVICES[service.name]["secrets"])


def test_every_pool_has_its_workers_and_there_are_two_dispatchers() -> None:
    pools = [
        service.command[2:] for service in OURS if service.command[1] == "worker" and not service.profiles
    ]

    assert sorted(pools) == sorted([name] for name in Config().pools())
    assert [service.replicas for service in OURS if service.command[1] == "dispatcher"] == [2]


TIME_LIMITS = {f"{PREFIX}STAGE_TIME_LIMIT_{stage.upper()}_S" for stage in TIMED}


def test_the_containers_are_given_every_setting_and_no_other_variable_of_ours() -> None:
    known = {PREFIX + setting.name.upper() for setting in fields(Config) if setting.name not in NOT_SET}
    files = {"YTRAG_DATABASE_URL_FILE", "YTRAG_BROKER_URL_FILE"}
    given = {name for name in FILE["x-environment"] if name.startswith(PREFIX)}

    assert given - TIME_LIMITS == known - OF_IO | files, "add it to docker-compose.yml, or here to NOT_SET"
    for name, told in SERVICES.items():
        ours = {variable for variable in told.get("environment", {}) if variable.startswith(PREFIX)}
        assert ours <= known | files | TIME_LIMITS | {"YTRAG_DOMAIN"}, name
    example = set(re.findall(r"\bYTRAG_\w+", (ROOT / "deploy/example.env").read_text()))
    assert example <= known | {"YTRAG_SECRETS", "YTRAG_DOMAIN"}


def test_a_setting_of_the_user_reaches_the_containers_as_it_is() -> None:
    wishes = {"YTRAG_COOKIES_FILE": "/data/8000/$x", "YTRAG_LOG_FORMAT": "text", "YTRAG_WHISPER_MODEL": ""}

    environment = our_services(SECRETS | wishes, here(Path("/srv"), Path("/a$b"), 9))[0].environment

    assert environment["YTRAG_COOKIES_FILE"] == "/data/8000/$x"
    assert environment["YTRAG_LOG_FORMAT"] == "text"
    assert "YTRAG_WHISPER_MODEL" not in environment
    assert environment["YTRAG_DATABASE_URL_FILE"] == "/a$b/database_url"


def test_without_secrets_the_start_stops_and_says_how_to_make_them() -> None:
    with pytest.raises(MissingVariable, match="make secrets"):
        fill(FILE, {})


def test_secrets_are_made_once_for_this_user_only_and_fit_one_another(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make = [str(ROOT / "deploy/secrets.sh"), str(folder)]
    subprocess.run(make, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in folder.iterdir()}

    again = subprocess.run(make, check=True, capture_output=True, text=True)

    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    assert not re.search("^  made", again.stdout, re.MULTILINE)
    assert folder.stat().st_mode & 0o777 == 0o700
    for name, given in COMPOSE["secrets"].items():
        assert given["file"].removeprefix("./secrets/") in made, name
    passwords = [made[name].strip() for name in made if name.endswith("password")]
    assert len(passwords) == len({*passwords}) == 4
    assert all(len(password) == 48 for password in passwords)
    mysql, rabbitmq = SERVICES["mysql"]["environment"], made["rabbitmq.conf"]
    for url, names in (
        (
            "database_url",
            (mysql["MYSQL_USER"], made["mysql_password"].strip(), "mysql", mysql["MYSQL_DATABASE"]),
        ),
        ("broker_url", (*re.findall(r"default_(?:user|pass) = (\S+)", rabbitmq), "rabbitmq", "ytrag")),
    ):
        parts = urlsplit(made[url].strip())
        assert (parts.username, parts.password, parts.hostname, parts.path[1:]) == names
    assert "default_vhost = ytrag" in rabbitmq


def test_no_password_stands_in_the_file_and_none_of_the_secrets_comes_into_the_repository() -> None:
    for name, told in SERVICES.items():
        for variable, value in told.get("environment", {}).items():
            assert "PASS" not in variable or variable.endswith("_FILE"), (name, variable)
            assert not re.search(r"://\w+:[^@/]+@", str(value)), (name, variable)
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert {"secrets/", ".env"} <= {*(ROOT / ".dockerignore").read_text().splitlines()}


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
    for told in SERVICES.values():
        if build := told.get("build"):
            assert (ROOT / build["dockerfile"]).is_file()
            named = f" AS {build.get('target', '')}\n"
            assert "target" not in build or named in (ROOT / build["dockerfile"]).read_text()


def test_all_but_the_tls_proxy_is_published_on_loopback_at_the_port_it_listens_on(
    config_of: Callable[[Service], Config],
) -> None:
    api = config_of(OURS[0])
    ports = {name: told["ports"] for name, told in SERVICES.items() if "ports" in told}

    assert ports.pop("caddy") == ["80:80", "443:443"]
    assert {name for name, (port,) in ports.items() if not port.startswith("127.0.0.1:")} == set()
    assert ports["api"] == [f"127.0.0.1:8000:{api.port}"]
    assert api.host not in LOOPBACK
    assert f"EXPOSE {api.port}\n" in DOCKERFILE
    assert f"127.0.0.1:{api.port}/readyz" in OURS[0].health[-1]
    assert f"reverse_proxy api:{api.port} " in (ROOT / "deploy/caddy/Caddyfile").read_text()


def test_prometheus_asks_each_of_our_services_at_its_metrics_port(
    config_of: Callable[[Service], Config],
) -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    looked_up = {
        (name, asked["port"])
        for job in jobs
        for asked in job.get("dns_sd_configs", [])
        for name in asked["names"]
    }
    fixed = {
        target.partition(":")[0]
        for job in jobs for asked in job.get("static_configs", []) for target in asked["targets"]
    }  # fmt: skip

    assert looked_up == {
        (one.name, config_of(one).metrics_port) for one in OURS if not (one.once or one.profiles)
    }
    assert SERVICES["worker-asr-gpu"]["networks"]["inside"]["aliases"] == ["worker-asr"]
    assert fixed - {"localhost"} <= set(SERVICES)


def test_only_what_has_to_has_a_way_out_and_our_workers_only_by_the_proxy() -> None:
    internal = {name for name, told in COMPOSE["networks"].items() if (told or {}).get("internal")}
    no_route = COMPOSE["networks"]["published"]["driver_opts"]

    assert internal == {"inside", "proxied"}
    assert no_route == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    assert {name for name in SERVICES if "outside" in networks(name)} == WITH_A_WAY_OUT
    for name in WITH_A_WAY_OUT:  # Docker's default route goes by names where no priority is given
        assert min(networks(name) - internal) == "outside", name
    assert {name for name in SERVICES if "proxied" in networks(name)} == {"worker-io", "models", "egress"}
    assert {name for name in SERVICES if "published" in networks(name)} == {
        "api",
        "prometheus",
        "grafana",
        "caddy",
    }
    io = SERVICES["worker-io"]["environment"]
    port = re.search(r"^http_port (\d+)$", (ROOT / "deploy/egress/squid.conf").read_text(), re.MULTILINE)
    assert port
    assert {io[name] for name in OF_IO} == {f"http://egress:{port[1]}"}
    caddy = SERVICES["caddy"]["networks"]["published"]["ipv4_address"]
    assert SERVICES["api"]["environment"]["YTRAG_TRUSTED_PROXIES"] == caddy


def test_nobody_else_is_given_the_address_that_is_believed() -> None:
    [pool] = COMPOSE["networks"]["published"]["ipam"]["config"]
    caddy = ip_address(SERVICES["caddy"]["networks"]["published"]["ipv4_address"])

    assert caddy in ip_network(pool["subnet"])
    assert caddy != ip_address(pool["gateway"])  # from which strangers come whom Docker's own proxy lets in
    assert caddy not in ip_network(pool["ip_range"])


def test_nothing_may_do_what_it_need_not() -> None:
    for name, told in SERVICES.items():
        assert told["read_only"] is True, name
        assert told["cap_drop"] == ["ALL"], name
        assert told["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in told, name
        limits = told["deploy"]["resources"]["limits"]
        assert {"memory", "pids"} <= set(limits), name
        # More than the machine has keeps all from starting. Recognisers count its cores: they have a weight.
        assert ("cpu_shares" in told) == told["image"].startswith("youtube-rag-asr"), name
        assert "cpu_shares" in told or float(limits["cpus"]) <= SMALLEST_CORES, name
    assert {name: told["cap_add"] for name, told in SERVICES.items() if "cap_add" in told} == {
        "caddy": ["NET_BIND_SERVICE"]
    }
    for name, told in SERVICES.items():
        ours = "build" in told or told["image"] == "youtube-rag"
        assert ours or re.match(r"[1-9]", told["user"]), name


def test_rabbitmq_holds_publishers_up_before_its_container_is_full() -> None:
    told = (ROOT / "deploy/rabbitmq/container.conf").read_text()
    mark = re.search(r"^vm_memory_high_watermark.absolute = (\d+)MB$", told, re.MULTILINE)

    assert mark
    assert int(mark[1]) <= 0.6 * 1024
    assert SERVICES["rabbitmq"]["deploy"]["resources"]["limits"]["memory"] == "1g"
    last = max(mount.split(":")[1] for mount in SERVICES["rabbitmq"]["volumes"] if "conf.d" in mount)
    assert last.endswith("-container.conf")  # the last one counts


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_each_of_ours_waits_for_its_servers_and_is_given_time_to_stop(
    service: Service, config_of: Callable[[Service], Config]
) -> None:
    told = SERVICES[service.name]
    waits = {name: how["condition"] for name, how in told["depends_on"].items()}
    loads_a_model = service.name in ("worker-asr", "worker-asr-gpu", "worker-light")

    assert (waits.pop("models", None) == "service_completed_successfully") == loads_a_model
    if service.once:
        assert waits == {"egress": "service_started"}
    else:
        needed = {"mysql"} if service.name in ("api", "exporter") else {"mysql", "rabbitmq"}
        assert waits == dict.fromkeys(needed, "service_healthy")
    assert seconds(told["stop_grace_period"]) > config_of(service).shutdown_timeout_s + GRACE_S
    assert bool(service.health) == (service.name == "api")


def test_everything_starts_again_and_is_asked_for_its_health() -> None:
    assert {name for name, told in SERVICES.items() if told["restart"] != "unless-stopped"} == {"models"}
    asked = {name for name, told in SERVICES.items() if told.get("healthcheck", {}).get("test")}

    assert SERVICES.keys() - asked == {"api", "models"}  # the image's, and one that ends
    assert SERVICES["mysql"]["healthcheck"]["test"][0] == "CMD-SHELL"
    assert SERVICES["rabbitmq"]["healthcheck"]["test"][1] == "rabbitmq-diagnostics"


def test_the_images_do_not_run_as_root_and_install_from_the_locks() -> None:
    base = DOCKERFILE.partition(" AS base\n")[2].partition("\nFROM ")[0]
    targets = {told["build"].get("target") for told in SERVICES.values() if "build" in told}

    assert re.search(r"^USER [1-9]\d*$", base, re.MULTILINE)
    assert "HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 " in base
    assert {target for target in targets if target} == set(
        re.findall(r"^FROM base AS (\S+)$", DOCKERFILE, re.MULTILINE)
    )
    installs = re.findall(r"^RUN pip install (.+)$", DOCKERFILE, re.MULTILINE)
    assert [install.split()[-1] for install in installs[:4]] == ["core.txt", ".", "asr.txt", "."]
    assert all("--no-deps" in install for install in installs)
    assert all("--require-hashes" in install for install in installs if install.endswith(".txt"))
    for name, user in (("egress", "proxy"), ("caddy", "10002")):
        assert f"\nUSER {user}\n" in (ROOT / f"deploy/{name}/Dockerfile").read_text()
