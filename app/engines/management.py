"""What RabbitMQ's management API tells of the queues, and whether the broker itself answers."""

import base64
import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from app.errors import ManagementUnavailable

TIMEOUT_S = 1.5
BODY_BYTES = 2000
"""Of a dead message so much is shown."""
PORTS = {"amqp": ("http", 15672, 5672), "amqps": ("https", 15671, 5671)}
HELLO = b"AMQP\x00\x00\x09\x01"


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue, as far as it is shown, and why it is there."""

    body: str
    reason: str


def address_of(broker_url: str) -> str:
    """Where the management API of the broker listens unless told otherwise, with the same account."""
    parts = urlsplit(broker_url)
    scheme, port, _ = PORTS.get(parts.scheme, PORTS["amqp"])
    account, at, _ = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{scheme}://{account}{at}{host}:{port}"


def broker_answers(broker_url: str) -> bool:
    """Whether the broker greets who connects; behind TLS, whether it lets one connect."""
    parts = urlsplit(broker_url)
    port = parts.port or PORTS.get(parts.scheme, PORTS["amqp"])[2]
    try:
        with socket.create_connection((parts.hostname or "", port), TIMEOUT_S) as connection:
            if parts.scheme == "amqps":
                return True
            connection.sendall(HELLO)
            return bool(connection.recv(1))
    except OSError:
        return False


class Management:
    """The management API at a URL that bears its account, for the virtual host of the broker's URL."""

    def __init__(self, url: str, broker_url: str) -> None:
        self.at = urlsplit(url)
        account = f"{unquote(self.at.username or '')}:{unquote(self.at.password or '')}"
        self.headers = {"Authorization": f"Basic {base64.b64encode(account.encode()).decode()}"}
        self.vhost = quote(unquote(urlsplit(broker_url).path[1:]) or "/", safe="")

    def depths(self) -> dict[str, int]:
        """How many messages each queue has, those included that a worker holds; up to 5 s old."""
        rows = self._ask("GET", f"/queues/{self.vhost}?columns=name,messages")
        return {str(row["name"]): int(row.get("messages", 0)) for row in rows}

    def peek(self, queue: str, most: int) -> list[DeadLetter]:
        """The first messages of a queue that nobody takes messages from; they stay in it."""
        wish = {"count": most, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": BODY_BYTES}
        rows = self._ask("POST", f"/queues/{self.vhost}/{quote(queue, safe='')}/get", json.dumps(wish))
        return [_letter(row) for row in rows]

    def _ask(self, method: str, path: str, body: str | None = None) -> list[Any]:
        kind = HTTPSConnection if self.at.scheme == "https" else HTTPConnection
        said = "does not answer"  # and no more: an error's own words may hold the address
        try:
            connection = kind(self.at.hostname or "", self.at.port, timeout=TIMEOUT_S)
            try:
                connection.request(method, f"{self.at.path.rstrip('/')}/api{path}", body, self.headers)
                answer = connection.getresponse()
                said = f"answers {answer.status}"
                if answer.status != 200:
                    raise HTTPException(answer.reason)
                return list(json.loads(answer.read()))
            finally:
                connection.close()
        except (OSError, HTTPException, ValueError, TypeError) as error:
            raise ManagementUnavailable(f"RabbitMQ's management API {said}.") from error


def _letter(row: dict[str, Any]) -> DeadLetter:
    deaths = row.get("properties", {}).get("headers", {}).get("x-death") or [{}]
    return DeadLetter(str(row.get("payload", "")), str(deaths[0].get("reason", "")))
