"""The client's part for being told: events as they happen, and webhooks."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from app.connection import Connection, ServerUnreachable
from app.webhook_schemas import DeliveryAnswer, DeliveryPage, NewWebhookAnswer, WebhookAnswer, WebhookPage

SILENCE_S = 60.0
"""Heart-beats come every 15 s: after so long without one the connection is dead."""

PATIENCE_S, PAUSE_S = 60.0, 1.0
"""So long a server that has gone is asked again, and so often."""


@dataclass(frozen=True)
class Event:
    """What happened to a job; kind is stage, progress, completed, failed or cancelled, data what it tells."""

    id: str
    kind: str
    data: dict[str, Any]


class Notices:
    """What a Client can do about events and webhooks."""

    _api: Connection

    def events(self, job_id: str | None = None, *, last_event_id: str | None = None) -> Iterator[Event]:
        """All events of a job until it has ended; without one, those of all one's jobs from now on, for ever.

        last_event_id: begin behind that event. Each comes once and in order, also when the connection
        breaks; ServerUnreachable when it cannot be had again within a minute, before the first event at once.
        """
        path = f"/api/jobs/{job_id}/events" if job_id else "/api/events"
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self._api.stream(path, last_event_id, silence_s=SILENCE_S) as lines:
                    if lines is None:
                        return
                    for event in parsed(lines):
                        give_up, last_event_id = time.monotonic() + PATIENCE_S, event.id
                        yield event
            except httpx.TransportError as error:
                if last_event_id is None or time.monotonic() > give_up:
                    raise ServerUnreachable(f"No answer from {self._api.server}: {error}.") from error
            time.sleep(PAUSE_S if job_id is None else 0.1)

    def webhooks(self, *, limit: int | None = None, cursor: str | None = None) -> WebhookPage:
        """A page of webhooks, newest first."""
        return self._api.ask(WebhookPage, "GET", "/api/webhooks", params={"limit": limit, "cursor": cursor})

    def add_webhook(self, url: str, *, events: Sequence[str] | None = None) -> NewWebhookAnswer:
        """Have an address told of all one's jobs; the answer has its secret, for the only time."""
        body = {"url": url, "events": list(events) if events else None}
        return self._api.ask(NewWebhookAnswer, "POST", "/api/webhooks", json=body)

    def change_webhook(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> WebhookAnswer:
        """Change a webhook; enabled=True also ends a pause."""
        body = {"url": url, "events": list(events) if events else None, "enabled": enabled}
        return self._api.ask(WebhookAnswer, "PATCH", f"/api/webhooks/{webhook_id}", json=body)

    def delete_webhook(self, webhook_id: str) -> None:
        """Forget a webhook and what was sent to it."""
        self._api.send("DELETE", f"/api/webhooks/{webhook_id}")

    def test_webhook(self, webhook_id: str) -> DeliveryAnswer:
        """Have a test sent."""
        return self._api.ask(DeliveryAnswer, "POST", f"/api/webhooks/{webhook_id}/test")

    def deliveries(
        self, webhook_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> DeliveryPage:
        """A page of what was or is to be sent to a webhook, newest first."""
        params = {"limit": limit, "cursor": cursor}
        return self._api.ask(DeliveryPage, "GET", f"/api/webhooks/{webhook_id}/deliveries", params=params)

    def send_again(self, webhook_id: str, delivery_id: str) -> DeliveryAnswer:
        """Have a delivery sent again, with the same webhook-id."""
        path = f"/api/webhooks/{webhook_id}/deliveries/{delivery_id}/send"
        return self._api.ask(DeliveryAnswer, "POST", path)


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a stream's lines; comments and what is no event of ours are passed over."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if {"id", "event", "data"} <= fields.keys():
            yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
        fields = {}
