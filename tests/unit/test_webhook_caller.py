"""A webhook is called at an address on the internet, the one looked at, for so long and no longer."""

import socket
import threading
import time
from typing import Any

import pytest

from app.engines import webhook
from app.engines.webhook import CallFailed, HttpCaller, check_url, is_public
from app.refusals import WebhookRefused
from tests.receiver import Receiver

PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *(
        "255.255.255.255",
        "224.0.0.1",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
    ),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "2001::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_on_the_internet_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_addresses_on_the_internet_are_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "ftp://example.org/", "javascript:alert(1)", "https://", "https:///x", ""),
        *(
            "https://user:pw@example.org/",
            "https://@example.org/",
            "https://localhost/",
            "https://127.0.0.1/",
        ),
        *("https://[::1]/", "https://example.org:port/", "https://exa mple.org/", "https://example.org/\n"),
        "https://[bad/",
    ],
)
def test_urls_that_could_lead_inside_are_refused(url: str) -> None:
    with pytest.raises(WebhookRefused):
        check_url(url, private=False)


def test_a_signature_is_that_of_the_standard() -> None:
    """The specification's own example."""
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"

    signed = webhook.signature(secret, message, 1614265330, b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let every name lead to these addresses, at one look-up after the other; returns the names asked for."""
    asked, left, real = [], list(answers), socket.getaddrinfo

    def look_up(host: str, port: int, *how: Any, **more: Any) -> list[Any]:
        if host.replace(".", "").isdigit():
            return real(host, port, *how, **more)
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]])
def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, found: list[str]) -> None:
    with Receiver() as receiver:
        names(monkeypatch, found)

        with pytest.raises(CallFailed, match="not an address on the internet"):
            HttpCaller(private=False).call(
                receiver.url.replace("http://127.0.0.1", "https://example.org"), {}, b"x"
            )

        assert receiver.received == []


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        asked = names(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])

        status = HttpCaller(private=True).call(receiver.url.replace("127.0.0.1", "hooks.example"), {}, b"x")

        assert (status, asked) == (204, ["hooks.example"])
        assert receiver.received[0].headers["host"].startswith("hooks.example")


def test_a_receiver_that_trickles_is_left_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "LIMIT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = threading.Event()

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not gone.wait(0.05):
                    try:
                        connection.sendall(b"X-A: b\r\n")
                    except OSError:
                        return

        threading.Thread(target=trickle, daemon=True).start()
        began = time.monotonic()

        with pytest.raises(CallFailed):
            HttpCaller(private=True).call(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"x")

        gone.set()
        assert time.monotonic() - began < 2


def test_by_way_of_a_proxy_no_name_is_looked_up_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Receiver() as proxy:
        asked = names(monkeypatch, ["127.0.0.1"])

        status = HttpCaller(private=True, proxy=proxy.url).call("http://hooks.example/a", {}, b"x")

        assert (status, asked) == (204, [])
        assert proxy.received[0].path == "http://hooks.example/a"


@pytest.mark.parametrize("inside", ["https://10.0.0.1/", "http://example.org/"])
def test_by_way_of_a_proxy_too_what_shows_that_it_leads_inside_is_refused(inside: str) -> None:
    with Receiver() as proxy:
        with pytest.raises(WebhookRefused):
            HttpCaller(private=False, proxy=proxy.url).call(inside, {}, b"x")

        assert proxy.received == []


def test_a_proxy_that_refuses_is_a_failed_call() -> None:
    with Receiver() as proxy, pytest.raises(CallFailed, match="501"):  # it knows no CONNECT
        HttpCaller(private=False, proxy=proxy.url).call("https://example.org/", {}, b"x")
