"""API keys: making, listing and revoking them, for admins."""

from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.key_schemas import KeyAnswer, KeyBody, KeyPage, NewKeyAnswer
from app.models.keys import ApiKey
from app.refusals import OwnKey
from app.schemas import PageQuery
from app.services import keys
from app.web.auth import admin

blueprint = APIBlueprint("keys", __name__, url_prefix="/api/keys", abp_tags=[Tag(name="keys")])


class KeyPath(BaseModel):
    """Which key."""

    key_id: str = Field(max_length=64)


@blueprint.post("", responses={201: NewKeyAnswer})
def create(body: KeyBody) -> tuple[dict[str, object], int]:
    """Make a key; it is shown this once."""
    admin()
    key, row = keys.make(body.owner, body.role, body.requests_per_minute)
    return NewKeyAnswer.model_validate({"key": key, **_shown(row)}).model_dump(mode="json"), 201


@blueprint.get("", responses={200: KeyPage})
def list_keys(query: PageQuery) -> dict[str, object]:
    """Keys, newest first, without their secrets."""
    admin()
    found = keys.page(before=query.cursor, limit=query.limit + 1)
    rows = [KeyAnswer.model_validate(_shown(row)) for row in found[: query.limit]]
    next_cursor = rows[-1].id if len(found) > query.limit else None
    return KeyPage(data=rows, next_cursor=next_cursor).model_dump(mode="json")


@blueprint.delete("/<key_id>", responses={204: None})
def revoke(path: KeyPath) -> Response:
    """Put a key out of force at once; no key revokes itself, so that one is left."""
    if admin().key == path.key_id:
        raise OwnKey("This request came with the key that it would revoke.")
    keys.revoke(path.key_id)
    return Response(status=204)


def _shown(row: ApiKey) -> dict[str, object]:
    names = ("owner", "role", "requests_per_minute", "created_at", "last_used_at", "revoked_at")
    return {"id": row.prefix, **{name: getattr(row, name) for name in names}}
