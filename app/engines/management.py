"""What RabbitMQ's management API tells of the queues."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from app.errors import ManagementUnavailable

TIMEOUT_S = 1.5
BODY_BYTES = 2000
"""Of a dead message so much is shown."""
PORTS = {"amqp": ("http", 15672), "amqps": ("https", 15671)}


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue, as far as it is shown, and why it is there."""

    body: str
    reason: str


def address_of(broker_url: str) -> str:
    """Where the management API of the broker listens unless told otherwise, with the same account."""
    parts = urlsplit(broker_url)
    scheme, port = PORTS.get(parts.scheme, PORTS["amqp"])
    account, at, _ = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{scheme}://{account}{at}{host}:{port}"


class Management:
    """The management API at a URL that bears its account, for the virtual host of the broker's URL."""

    def __init__(self, url: str, broker_url: str) -> None:
        parts = urlsplit(url)
        account = (unquote(parts.username or ""), unquote(parts.password or ""))
        plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
        self.vhost = quote(unquote(urlsplit(broker_url).path[1:]) or "/", safe="")
        self.http = httpx.Client(base_url=f"{plain}/api", auth=account, timeout=TIMEOUT_S, trust_env=False)

    def depths(self) -> dict[str, int]:
        """How many messages each queue has, those included that a worker holds; up to 5 s old."""
        rows = self._ask("GET", f"/queues/{self.vhost}", params={"columns": "name,messages"})
        return {str(row["name"]): int(row.get("messages", 0)) for row in rows}

    def peek(self, queue: str, most: int) -> list[DeadLetter]:
        """The first messages of a queue that nobody takes messages from; they stay in it."""
        wish = {"count": most, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": BODY_BYTES}
        rows = self._ask("POST", f"/queues/{self.vhost}/{quote(queue, safe='')}/get", json=wish)
        return [_letter(row) for row in rows]

    def _ask(self, method: str, path: str, **how: Any) -> list[Any]:
        try:
            answer = self.http.request(method, path, **how)
            answer.raise_for_status()
            return list(answer.json())
        except (httpx.HTTPError, ValueError, TypeError) as error:
            # The error's own words may hold the address, and with it the account.
            code = getattr(getattr(error, "response", None), "status_code", None)
            said = f"answers {code}" if code else "does not answer"
            raise ManagementUnavailable(f"RabbitMQ's management API {said}.") from error


def _letter(row: dict[str, Any]) -> DeadLetter:
    deaths = row.get("properties", {}).get("headers", {}).get("x-death") or [{}]
    return DeadLetter(str(row.get("payload", "")), str(deaths[0].get("reason", "")))
