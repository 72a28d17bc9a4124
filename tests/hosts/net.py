"""Hosts that share nothing but a network: each with an address, a cable, and a disk of its own at /mnt.

They are network and mount namespaces, joined by a bridge; without root and iproute2 tests skip.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import tools
from tests.observed import eventually

DISK = "/mnt"


@dataclass(frozen=True)
class Host:
    """One of them: its name and address."""

    name: str
    address: str
    cable: str
    pid: int

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with, so that it runs there."""
        return ("nsenter", f"--target={self.pid}", "--net", "--mount")

    def cut_off(self) -> None:
        """Pull its cable: nothing that was sent is answered any more, not even by a reset."""
        _ip("link", "set", self.cable, "down")

    def plug_in(self) -> None:
        """Put it back."""
        _ip("link", "set", self.cable, "up")


@contextmanager
def network(*names: str) -> Iterator[tuple[str, list[Host]]]:
    """The address at which this machine is reached from the hosts, and the hosts."""
    _needed()
    number = os.getpid() % 200
    bridge, gateway = f"yt{number}", f"10.231.{number}.1"
    with ExitStack() as undone:
        _ip("link", "add", bridge, "type", "bridge")
        undone.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{gateway}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        hosts = [_host(undone, bridge, name, place) for place, name in enumerate(names, start=2)]
        yield gateway, hosts


def _host(undone: ExitStack, bridge: str, name: str, place: int) -> Host:
    namespace, cable = f"{bridge}-{name}", f"{bridge}v{place}"
    address = f"10.231.{bridge.removeprefix('yt')}.{place}"
    _ip("netns", "add", namespace)
    undone.callback(_ip, "netns", "del", namespace)
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _ip("link", "set", cable, "master", bridge, "up")
    for words in ("link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up"):
        _ip("-n", namespace, *words.split())
    disk = f"mount -t tmpfs none {DISK} && exec sleep infinity"
    keeper = ["ip", "netns", "exec", namespace, "unshare", "--mount", "sh", "-c", disk]
    kept = undone.enter_context(subprocess.Popen(keeper))
    undone.callback(kept.kill)
    eventually(lambda: f" {DISK} tmpfs " in Path(f"/proc/{kept.pid}/mounts").read_text())
    return Host(name, address, cable, kept.pid)


def _needed() -> None:
    tools.needed()
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("Network namespaces need root and iproute2.")
    probe = subprocess.run(["ip", "netns", "exec", "none", "true"], capture_output=True, text=True)
    if "not permitted" in probe.stderr:
        pytest.skip(f"Network namespaces are not allowed here: {probe.stderr.strip()}")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
