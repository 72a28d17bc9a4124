"""The way out of the containers leads to web ports of the internet and nowhere inside: squid says so."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.tools.compose import ROOT
from tests import tools
from tests.observed import eventually
from tests.up import free_port

CONFIG = ROOT / "deploy/egress/squid.conf"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Its port, while squid runs with the file that the container mounts; only the logs go elsewhere."""
    tools.needed()
    port, config = free_port(), tmp_path_factory.mktemp("egress") / "squid.conf"
    text = CONFIG.read_text().replace("http_port 3128\n", f"http_port 127.0.0.1:{port}\n")
    text = text.replace("stdio:/dev/stdout", "none").replace("/dev/stderr", "/dev/null")
    config.write_text(text)
    assert str(port) in text
    command = ["squid", "-N", "-f", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as squid:
        try:
            eventually(lambda: squid.poll() is None and not socket.socket().connect_ex(("127.0.0.1", port)))
            yield port
        finally:
            squid.terminate()


def status(port: int, line: str, host: str) -> int:
    """What it answers to such a first line."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        connection.sendall(f"{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return int(connection.recv(100).split()[1])


def test_the_file_is_one_that_squid_takes(tmp_path: Path) -> None:
    tools.needed()

    parsed = subprocess.run(
        ["squid", "-k", "parse", "-f", CONFIG], capture_output=True, text=True, cwd=tmp_path
    )

    assert parsed.returncode == 0, parsed.stderr
    warnings = [line for line in parsed.stderr.splitlines() if "WARNING" in line or "ERROR" in line]
    assert not [line for line in warnings if "requires the use of Via" not in line]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "0.0.0.0", "10.1.2.3", "172.17.0.1", "192.168.1.1", "169.254.169.254"),
        *(
            "100.64.0.1",
            "[::1]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "2130706433",
        ),
    ],
)
def test_nothing_of_the_inside_is_reached(proxy: int, host: str) -> None:
    assert status(proxy, f"CONNECT {host}:443", f"{host}:443") == 403
    assert status(proxy, f"GET http://{host}/", host) == 403


@pytest.mark.parametrize("port", [22, 25, 3306, 5672, 8000])
def test_only_web_ports_are(proxy: int, port: int) -> None:
    assert status(proxy, f"CONNECT 93.184.216.34:{port}", "93.184.216.34") == 403
    assert status(proxy, "CONNECT 93.184.216.34:80", "93.184.216.34") == 403  # a tunnel for TLS only


def test_the_internet_is_asked_for(proxy: int) -> None:
    """Whether it answers depends on the machine: what counts is that nothing is refused."""
    for line in (
        "GET http://93.184.216.34/",
        "CONNECT 93.184.216.34:443",
        "GET http://no-such-name.invalid/",
    ):
        assert status(proxy, line, line.split()[1]) != 403
