"""Calls a webhook: once, signed, at an address that was looked at, and never where it is then sent on to."""

import base64
import hashlib
import hmac
import ipaddress
import socket
import time
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpcore

from app.refusals import WebhookRefused

LIMIT_S = 10.0
"""How long a call may take from the look-up of the name to the status."""

NEVER = [
    ipaddress.ip_network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10", "192.88.99.0/24")
]
"""Networks that count as public and lead to others."""

SECRET = "whsec_"  # noqa: S105  # how a secret begins


class CallFailed(Exception):
    """The call did not come to a status."""


class WebhookCaller(Protocol):
    """Something that can call a webhook."""

    def call(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """POST the body and return the status; CallFailed where there is none."""


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The webhook-signature header, as Standard Webhooks define it."""
    key = base64.b64decode(secret.removeprefix(SECRET))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check_url(url: str, *, private: bool) -> str:
    """The URL if something may be sent there, as far as it shows in the URL; else WebhookRefused."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise WebhookRefused("The webhook's address is not a URL.") from None
    if parts.scheme not in (("https", "http") if private else ("https",)) or not host:
        raise WebhookRefused("A webhook's address begins with https:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise WebhookRefused("A webhook's address has no user name or password in it.")
    if not url.isascii() or any(sign <= " " for sign in url):
        raise WebhookRefused("A webhook's address has no spaces and only ASCII characters.")
    if not private and (host == "localhost" or (_is_address(host) and not is_public(host))):
        raise WebhookRefused(f"{host} is not an address on the internet.")
    return url


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether the address is on the internet and leads nowhere else."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(str(mapped))
    return (
        ip.is_global
        and not ip.is_multicast
        and not any(ip in net for net in NEVER if net.version == ip.version)
    )


class HttpCaller:
    """Calls over HTTP; private: also addresses that are not on the internet.

    By way of a proxy it is the proxy that resolves names, and that has to refuse the inside.
    """

    def __init__(self, *, private: bool, proxy: str = "") -> None:
        self.private = private
        self.proxy = httpcore.Proxy(proxy) if proxy else None

    def call(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """POST the body and return the status, whatever it says of other places; CallFailed without one."""
        check_url(url, private=self.private)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), LIMIT_S)
        private = self.private or self.proxy is not None
        backend = _Backend(private=private, until=time.monotonic() + LIMIT_S)
        try:
            with (
                httpcore.ConnectionPool(network_backend=backend, proxy=self.proxy) as pool,
                pool.stream(
                    "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeout}
                ) as response,
            ):
                return int(response.status)
        except WebhookRefused as refusal:
            raise CallFailed(refusal.detail) from None
        except Exception as error:
            if isinstance(
                error,
                httpcore.NetworkError
                | httpcore.TimeoutException
                | httpcore.ProtocolError
                | httpcore.ProxyError
                | OSError,
            ):
                raise CallFailed(f"{type(error).__name__}: {error}"[:300]) from error
            raise


class _Backend(httpcore.SyncBackend):
    """Connects to an address that was looked at, so that the name cannot mean another one a moment later."""

    def __init__(self, *, private: bool, until: float) -> None:
        self.private, self.until = private, until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not self.private and (refused := [address for address in found if not is_public(address)]):
            raise WebhookRefused(f"{host} leads to {refused[0]}, which is not an address on the internet.")
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in found:
            left = _left(self.until, timeout)
            try:
                stream = super().connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(stream, self.until)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")


class _Stream(httpcore.NetworkStream):
    """A connection that ends when the time is up, however slowly the other side goes on."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self.stream, self.until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _left(self.until, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(self.until, timeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self.stream.start_tls(ssl_context, server_hostname, _left(self.until, timeout))
        return _Stream(secured, self.until)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _left(until: float, timeout: float | None) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("it took too long")
    return min(left, timeout or left)
