"""Keeps the process that runs yt-dlp from where strangers lead it: into a network, into endless answers.

The hook sees every connection when it is made, behind all names, redirects, pages, playlists and keys, so
that a name which changes its answer gains nothing. It cannot be taken out again, nor does it bind child
processes: therefore none starts but those that are named.
"""

import http.client
import ipaddress
import os
import socket
import sys
import zlib
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from app.source_errors import ResourceLimit

WHOLE_BYTES = 64 * 1024**2
"""The most that is read into memory as one answer: a page, a playlist, a fragment."""
PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
OTHER_CLIENTS = ("Requests", "Websockets", "CurlCFFI")
"""Ways of yt-dlp to the web, where their libraries are installed, that this guard does not see through."""
OWN_WAYS = (
    *("socket.sendto", "socket.sendmsg"),
    *("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"),
)
"""What no part of a download needs."""
DENIED = tuple(ipaddress.ip_network(one) for one in ("192.88.99.0/24", "2002::/16"))
"""Relays from the old internet to the new one; Python takes them for global."""
GLOBAL_V6 = ipaddress.ip_network("2000::/3")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Door = tuple[Address, int]


class RefusedInside(PermissionError):
    """An error of sockets, so that libraries try a host's next address."""


def is_public(address: Address) -> bool:
    """Whether the address is one of the internet's, for everybody; v4 addresses in v6 clothes count as v4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address not in GLOBAL_V6:
            return False
    is_relay = any(address in network for network in DENIED if network.version == address.version)
    return address.is_global and not address.is_multicast and not is_relay


def install(
    url: str, *, allowed_hosts: Collection[str], proxy: str = "", programs: Collection[str] = ()
) -> list[RefusedInside]:
    """Bind this process, for good, to public addresses, to the programs and to answers of a bounded size.

    Of addresses inside a network it opens the proxy's, and the one that the URL itself means, on the URL's
    port, where allowed_hosts has that very address: nothing else of the same host, whatever a page says.
    What is refused is added to the returned list, for yt-dlp may keep it to itself.
    """
    inside = {address for host in allowed_hosts for address in _meant(host) if not is_public(address)}
    doors = {door for door in _doors(url) if door[0] in inside} if inside else set()
    proxies = _doors(proxy) if proxy else set()
    refused: list[RefusedInside] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        try:
            if event == "socket.connect":
                _check_connection(arguments[1], doors | proxies)
            elif event == "urllib.Request":
                _check_url(arguments[0], doors)
        except RefusedInside as refusal:
            refused.append(refusal)
            raise
        if event in OWN_WAYS or (event == "subprocess.Popen" and os.fsdecode(arguments[0]) not in programs):
            raise PermissionError(f"a download does not use {event}")

    _keep_to_one_client()
    _bound_answers()
    sys.addaudithook(watch)
    return refused


def _check_connection(target: Any, doors: Collection[Door]) -> None:
    """A name in place of an address, and a socket of this machine, are refused as well."""
    try:
        door = _plain(target[0]), target[1]
    except (ValueError, TypeError, IndexError):
        raise _refusal(target) from None
    if not is_public(door[0]) and door not in doors:
        raise _refusal(target)


def _check_url(url: str, doors: Collection[Door]) -> None:
    """Where a proxy connects for us, at least no address that stands in the URL itself leads inside."""
    port = _port(url)
    for address in _meant(urlsplit(url).hostname or ""):
        if not is_public(address) and (address, port) not in doors:
            raise _refusal(url)


def _refusal(target: object) -> RefusedInside:
    sys.stderr.write(f"refused: {target}\n")  # for the operator: to a stranger it would be a map
    return RefusedInside("an address inside a network")


def _plain(text: str) -> Address:
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _meant(host: str) -> set[Address]:
    """The address that a host's text itself is, in any notation that resolvers take; none for a name."""
    if host == "localhost" or host.endswith(".localhost"):
        return {_plain("127.0.0.1"), _plain("::1")}
    try:
        return {_plain(host)}
    except ValueError:
        pass
    try:
        return {ipaddress.ip_address(socket.inet_aton(host))}
    except (OSError, ValueError):
        return set()


def _doors(url: str) -> set[Door]:
    """Where a connection to the URL's host may lead, as of now."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {(_plain(str(where[0])), _port(url)) for *_, where in found}


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or PORTS.get(parts.scheme, 0)


def _keep_to_one_client() -> None:
    from yt_dlp.networking.common import _REQUEST_HANDLERS

    for name in OTHER_CLIENTS:
        _REQUEST_HANDLERS.pop(name, None)


def _bound_answers() -> None:
    """Have what is read as one piece end at WHOLE_BYTES; files come in small pieces and are counted."""
    from yt_dlp.networking._urllib import HTTPHandler

    read = http.client.HTTPResponse.read

    def read_bounded(self: http.client.HTTPResponse, amt: int | None = None) -> bytes:
        if amt is not None:
            return read(self, amt)
        if self.length is not None:
            _refuse_big(self.length)
            return read(self)
        body = read(self, WHOLE_BYTES + 1)
        _refuse_big(len(body))
        return body

    http.client.HTTPResponse.read = read_bounded  # type: ignore[method-assign]  # for this process only
    HTTPHandler.gz = staticmethod(lambda body: _unpacked(body, zlib.MAX_WBITS | 16))
    HTTPHandler.deflate = staticmethod(_inflated)


def _inflated(body: bytes) -> bytes:
    try:
        return _unpacked(body, -zlib.MAX_WBITS)
    except zlib.error:
        return _unpacked(body, zlib.MAX_WBITS)


def _unpacked(body: bytes, wbits: int) -> bytes:
    if not body:
        return body
    unpacker = zlib.decompressobj(wbits)
    unpacked = unpacker.decompress(body, WHOLE_BYTES + 1)
    _refuse_big(len(unpacked))
    if not unpacker.eof:
        raise zlib.error("incomplete or truncated stream")
    return unpacked


def _refuse_big(size: int) -> None:
    if size > WHOLE_BYTES:
        raise ResourceLimit(f"The source sent one answer of more than {WHOLE_BYTES // 1024**2} MB.")
