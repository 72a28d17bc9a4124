"""docker-compose.yml in a Docker engine: all of it starts and works, and is as closed as it says.

`make containers` runs these, in the engine that answers or in one of Debian's; engine.sh says more.
"""

import json
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from deploy.tools.compose import ROOT
from deploy.tools.demo_report import Script
from tests.containers.house import House, docker
from tests.observed import eventually

pytestmark = [
    pytest.mark.skipif("YTRAG_TEST_ENGINE" not in os.environ, reason="`make containers` runs these"),
    pytest.mark.timeout(1200),
]
TALK = ROOT / "tests/fixtures/talk"
GOING_OUT = {"egress", "alertmanager", "caddy"}
STATUS = re.compile(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\s+(\w+)", re.MULTILINE)
NET_BIND_SERVICE = 1 << 10


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House() as house:
        yield house


def test_a_video_becomes_a_hit_by_way_of_all_containers(house: House) -> None:
    job = house.client.upload(TALK / "talk.mp4", title="How to tell the time", language="en")

    status = house.client.wait(job.job_id, timeout_s=600)

    assert (status.status, status.warning) == ("completed", None)
    [query, *_] = Script.of(TALK).queries
    [hit, *_] = house.client.search(query.text).hits
    assert hit.url.startswith("https://localhost/videos/")


def test_all_are_healthy_and_what_ends_ended_well(house: House) -> None:
    found = {name: list(map(state, ids)) for name, ids in house.containers().items()}

    assert [(one["Status"], one["ExitCode"]) for one in found.pop("models")] == [("exited", 0)]
    assert len(found["dispatcher"]) == 2
    assert {one["Health"]["Status"] for ones in found.values() for one in ones} == {"healthy"}


def test_no_process_has_powers_or_a_place_to_write_but_those_named(house: House) -> None:
    for service, ids in house.containers().items():
        if service == "models":
            continue
        told = dict(STATUS.findall(docker("exec", ids[0], "cat", "/proc/1/status")))
        allowed = NET_BIND_SERVICE if service == "caddy" else 0

        assert int(told["Uid"]) > 0, service
        assert int(told["CapBnd"], 16) == allowed, service
        assert int(told["CapEff"], 16) & ~allowed == 0, service
        assert told["NoNewPrivs"] == "1", service
        assert "Read-only file system" in failure("exec", ids[0], "touch", "/etc/x"), service


def test_only_those_that_must_reach_the_internet(house: House) -> None:
    try:
        address = socket.gethostbyname(os.environ.get("YTRAG_TEST_OUTSIDE", "example.com"))
        socket.create_connection((address, 80), 10).close()
    except OSError:
        pytest.skip("this machine reaches no internet, so it shows nothing that a container does not")

    def reaches(container: str) -> bool:
        look = f"exec 3<>/dev/tcp/{address}/80"
        return not failure("exec", container, "timeout", "3", "bash", "-c", look)

    # Whose image has no bash cannot be asked so.
    ours = {name: ids[0] for name, ids in house.containers().items() if name not in ("models", "prometheus")}
    ours = {name: one for name, one in ours.items() if not failure("exec", one, "bash", "-c", "true")}
    with ThreadPoolExecutor() as all_at_once:
        found = dict(zip(ours, all_at_once.map(reaches, ours.values()), strict=True))

    assert {"api", "egress", "worker-asr", "worker-io", "mysql"} <= set(ours)
    assert {name for name, does in found.items() if does} == GOING_OUT & set(ours)


def test_the_proxy_is_there_for_downloads_only_and_leads_nowhere_inside(house: House) -> None:
    inside = ("mysql", "api", "rabbitmq", "127.0.0.1", "169.254.169.254")
    ask = (
        "import httpx; get = httpx.Client(proxy='http://egress:3128', timeout=20).get\n"
        f"print(*[get(f'http://{{host}}/').status_code for host in {inside}])"
    )

    told = house.compose("exec", "-T", "worker-io", "python", "-c", ask).split()

    assert [int(status) >= 500 for status in told[:3]] == [True] * 3  # names that nobody there knows
    assert told[3:] == ["403", "403"]
    log = house.compose("logs", "--no-log-prefix", "egress").splitlines()
    for host in inside:
        [asked] = [line for line in log if f" http://{host}/ " in line]
        assert "HIER_NONE" in asked, "it connected to nothing"
    [asr] = house.containers()["worker-asr"]
    assert "ConnectError" in failure("exec", asr, "python", "-c", ask)


def test_prometheus_finds_every_process_and_its_alerts_reach_alertmanager(house: House) -> None:
    prometheus, alertmanager = "http://127.0.0.1:9090/api/v1", "http://127.0.0.1:9093/api/v2"

    def up() -> dict[str, int]:
        targets = httpx.get(f"{prometheus}/targets").json()["data"]["activeTargets"]
        names = [target["labels"]["job"] for target in targets if target["health"] == "up"]
        return {name: names.count(name) for name in names}

    def told() -> set[str]:
        return {alert["labels"]["alertname"] for alert in httpx.get(f"{alertmanager}/alerts").json()}

    servers = dict.fromkeys(("rabbitmq", "rabbitmq-detailed", "prometheus", "alertmanager"), 1)
    eventually(lambda: up() == {"api": 1, "worker": 4, "dispatcher": 2, "exporter": 1, **servers}, 60)
    eventually(lambda: told() == {"Watchdog"}, 180)


def test_caddy_is_believed_who_asks_and_a_stranger_is_not(house: House) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}
    for address in ("http://127.0.0.1:8000", "https://localhost"):
        with httpx.Client(base_url=address, verify=False, headers=forged) as browser:  # Caddy's own
            page = browser.get("/sign-in")
            token = re.search(r'name="form_token" value="(\w+)"', page.text)
            form = {"form_token": token[1] if token else "", "name": "ada", "password": "wrong"}
            # A browser takes the cookie by http, too, from its own machine.
            here = {"Origin": address, "Cookie": page.headers["Set-Cookie"].partition(";")[0]}
            assert browser.post("/sign-in", data=form, headers=here).status_code == 401

    rows = "SELECT target FROM audit_entry ORDER BY id"
    ask = f'MYSQL_PWD=$(cat /run/secrets/mysql_password) mysql -h127.0.0.1 -uytrag -Ne "{rows}" ytrag'
    told = house.compose("exec", "-T", "mysql", "sh", "-c", ask).splitlines()

    assert len(told) == 2
    assert all(re.fullmatch(r"from [\d.:]+", one) for one in told)
    assert not {"from 6.6.6.6", "from 172.30.250.2"} & {*told}  # neither what was said, nor Caddy itself


def test_a_container_whose_program_dies_starts_again(house: House) -> None:
    [worker] = house.containers()["worker-media"]
    docker("exec", worker, "python", "-c", "import os; os.kill(-1, 9)")  # all but init and itself

    eventually(lambda: restarts(worker) == 1 and state(worker)["Status"] == "running", 60)
    eventually(lambda: state(worker)["Health"]["Status"] == "healthy", 60)


def test_a_stop_lets_each_end_by_itself_and_nothing_is_lost(house: House) -> None:
    job = house.client.upload(TALK / "talk.mp4", title="Again", force=True)
    eventually(lambda: house.client.status(job.job_id).current_stage == "transcribe", 60)

    house.compose("stop")

    codes = {name: {state(one)["ExitCode"] for one in ids} for name, ids in house.containers().items()}
    assert {name for name, ended in codes.items() if ended - {0, 143}} == set()
    house.compose("up", "--detach", "--wait")
    assert house.client.wait(job.job_id, timeout_s=600).status == "completed"


def state(container: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", "--format={{json .State}}", container))
    return found


def restarts(container: str) -> int:
    return int(docker("inspect", "--format={{.RestartCount}}", container))


def failure(*command: str) -> str:
    """How the docker command fails; empty if it does not."""
    try:
        docker(*command)
    except AssertionError as failed:
        return str(failed)
    return ""
