"""Believes a reverse proxy what it says of who asks and how, and nobody else."""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix


class Forwarded:
    """Takes address, scheme and host from the X-Forwarded-… headers of who connects from these networks."""

    def __init__(self, app: Any, trusted: Collection[IPv4Network | IPv6Network]) -> None:
        self.app, self.trusted = app, trusted
        self.behind = ProxyFix(app, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        asked = self.behind if self._is_trusted(environ.get("REMOTE_ADDR", "")) else self.app
        answer: Iterable[bytes] = asked(environ, start_response)
        return answer

    def _is_trusted(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self.trusted)
        except ValueError:  # a socket in a folder has none
            return False
