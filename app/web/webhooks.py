"""Webhooks: registering, changing and testing them, and what was sent."""

from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.models.webhooks import Delivery, Webhook
from app.schemas import PageQuery
from app.services import webhooks
from app.web.auth import caller
from app.web.jobs import check_cursor
from app.web.links import delivery_links, webhook_links
from app.webhook_schemas import (
    DeliveryAnswer,
    DeliveryPage,
    NewWebhookAnswer,
    WebhookAnswer,
    WebhookBody,
    WebhookChange,
    WebhookPage,
)

blueprint = APIBlueprint("webhooks", __name__, url_prefix="/api/webhooks", abp_tags=[Tag(name="webhooks")])


class WebhookPath(BaseModel):
    """Which webhook."""

    webhook_id: str = Field(max_length=64)


class DeliveryPath(WebhookPath):
    """Which delivery of it."""

    delivery_id: str = Field(max_length=64)


@blueprint.post("", responses={201: NewWebhookAnswer})
def register(body: WebhookBody) -> tuple[dict[str, object], int, dict[str, str]]:
    """Have an address told of all one's jobs, by Standard Webhooks; its secret is shown this once."""
    made = webhooks.register(caller().owner, body.url, list(body.events))
    shown = NewWebhookAnswer.model_validate({**_shown(made.webhook), "secret": made.secret})
    return shown.model_dump(mode="json"), 201, {"Location": shown.links["self"]}


@blueprint.get("", responses={200: WebhookPage})
def list_webhooks(query: PageQuery) -> dict[str, object]:
    """Webhooks, newest first, with those that came with a job."""
    check_cursor(query.cursor)
    found = webhooks.page(caller().sees, before=query.cursor, limit=query.limit + 1)
    rows = [_answer(hook) for hook in found[: query.limit]]
    return {"data": rows, "next_cursor": rows[-1]["id"] if len(found) > query.limit else None}


@blueprint.get("/<webhook_id>", responses={200: WebhookAnswer})
def show(path: WebhookPath) -> dict[str, object]:
    """One webhook."""
    return _answer(webhooks.get(path.webhook_id, caller().sees))


@blueprint.patch("/<webhook_id>", responses={200: WebhookAnswer})
def change(path: WebhookPath, body: WebhookChange) -> dict[str, object]:
    """Change its address or events, disable it, or enable it again after a pause."""
    return _answer(webhooks.change(path.webhook_id, caller().sees, **body.model_dump()))


@blueprint.delete("/<webhook_id>", responses={204: None})
def delete(path: WebhookPath) -> Response:
    """Forget a webhook and what was sent to it."""
    webhooks.delete(path.webhook_id, caller().sees)
    return Response(status=204)


@blueprint.post("/<webhook_id>/test", responses={202: DeliveryAnswer})
def test(path: WebhookPath) -> tuple[dict[str, object], int, dict[str, str]]:
    """Have a test sent; its delivery tells what came of it."""
    return _queued(webhooks.test(path.webhook_id, caller().sees))


@blueprint.get("/<webhook_id>/deliveries", responses={200: DeliveryPage})
def list_deliveries(path: WebhookPath, query: PageQuery) -> dict[str, object]:
    """What was or is to be sent, newest first."""
    check_cursor(query.cursor)
    found = webhooks.deliveries(path.webhook_id, caller().sees, before=query.cursor, limit=query.limit + 1)
    rows = [_delivery(delivery) for delivery in found[: query.limit]]
    return {"data": rows, "next_cursor": rows[-1]["id"] if len(found) > query.limit else None}


@blueprint.post("/<webhook_id>/deliveries/<delivery_id>/send", responses={202: DeliveryAnswer})
def send_again(path: DeliveryPath) -> tuple[dict[str, object], int, dict[str, str]]:
    """Have a delivery sent again, with the same webhook-id."""
    return _queued(webhooks.send_again(path.webhook_id, path.delivery_id, caller().sees))


def _queued(delivery: Delivery) -> tuple[dict[str, object], int, dict[str, str]]:
    return _delivery(delivery), 202, {"Location": delivery_links(delivery.webhook_id)["deliveries"]}


def _shown(hook: Webhook) -> dict[str, object]:
    return {
        **hook.__data__,
        "job_id": hook.job_id,
        "user_id": hook.owner,
        "links": webhook_links(hook.id),
    }


def _answer(hook: Webhook) -> dict[str, object]:
    return WebhookAnswer.model_validate(_shown(hook)).model_dump(mode="json")


def _delivery(delivery: Delivery) -> dict[str, object]:
    about = {"webhook_id": delivery.webhook_id, "job_id": delivery.job_id}
    links = delivery_links(delivery.webhook_id, delivery.id)
    return DeliveryAnswer.model_validate({**delivery.__data__, **about, "links": links}).model_dump(
        mode="json"
    )
