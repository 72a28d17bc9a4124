"""The servers that tests run on: what they promise, and what a test sees when they are missing."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from tests import services
from tests.services import Server, execute
from tests.up import ROOT


def channel(url: str) -> BlockingChannel:
    """A channel with publisher confirms and one durable queue, q."""
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.confirm_delivery()
    channel.queue_declare("q", durable=True)
    return channel


def test_each_test_has_a_virtual_host_of_its_own(fresh_broker: str) -> None:
    with services.fresh_broker() as another:
        channel(another).basic_publish("", "q", b"not for us")

        assert channel(fresh_broker).basic_get("q")[0] is None


def test_each_test_has_a_database_of_its_own(fresh_database: str) -> None:
    with services.fresh_database() as another:
        execute(another, "CREATE TABLE job (id INT)")

        assert execute(fresh_database, "SHOW TABLES") == []


def test_a_confirmed_message_survives_a_killed_rabbitmq(fresh_broker: str, rabbitmq: Server) -> None:
    durable = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
    channel(fresh_broker).basic_publish("", "q", b"keep me", durable)

    rabbitmq.kill()
    rabbitmq.start()

    assert channel(fresh_broker).basic_get("q")[2] == b"keep me"


def test_a_committed_row_survives_a_killed_mariadb(fresh_database: str, mariadb: Server) -> None:
    execute(fresh_database, "CREATE TABLE job (id INT)")
    execute(fresh_database, "INSERT INTO job VALUES (7)")

    mariadb.kill()
    mariadb.start()

    assert execute(fresh_database, "SELECT id FROM job") == [(7,)]


def test_the_database_tells_video_ids_apart_by_case(fresh_database: str) -> None:
    execute(fresh_database, "CREATE TABLE video (id VARCHAR(11) PRIMARY KEY)")

    execute(fresh_database, "INSERT INTO video VALUES ('dQw4w9WgXcQ'), ('DQw4w9WgXcQ')")

    assert execute(fresh_database, "SELECT COUNT(*) FROM video") == [(2,)]


def test_every_commit_reaches_the_disk_and_times_are_utc(fresh_database: str) -> None:
    assert execute(fresh_database, "SELECT @@innodb_flush_log_at_trx_commit, @@time_zone") == [(1, "+00:00")]


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_servers_a_test_is_skipped_but_fails_in_ci(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(services, "SCRIPT", Path("/bin/true"))
    for variable in (services.BROKER, services.MANAGEMENT, services.DATABASE):
        monkeypatch.delenv(variable, raising=False)

    with pytest.raises(outcome, match="make services"), services.fresh_broker():
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="a package's programs are kept from starting by root only")
def test_two_sets_that_miss_the_same_tools_install_them_one_after_the_other(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name not in ("promtool", "apt-get"):
            (programs / program.name).symlink_to(program)
    apt = programs / "apt-get"
    apt.write_text(f"#!/bin/bash\nset -e\nmkdir {tmp_path}/lock\nsleep 0.3\nrmdir {tmp_path}/lock\n")
    apt.chmod(0o755)

    with (ROOT / "var" / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # nobody here shall install in earnest meanwhile
        installs = [
            subprocess.Popen(
                [tmp_path / "deploy" / "services.sh", "tools"],
                env={"PATH": str(programs), "YTRAG_SERVICES_SET": name},
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in ("one", "two")
        ]
        complaints = [install.communicate(timeout=60)[1] for install in installs]

    assert [install.returncode for install in installs] == [0, 0], complaints
