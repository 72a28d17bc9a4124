"""A server that a test starts finds the port free that was chosen for it."""

from pathlib import Path

from tests.up import free_port


def test_the_kernel_gives_no_connection_a_port_that_was_chosen_for_a_server() -> None:
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()

    assert max(free_port() for _ in range(100)) < int(first)
