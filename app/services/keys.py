"""API keys: shown once when made, kept as a hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from app import clock
from app.errors import InvalidInput, NotFound, Unauthorized
from app.models.base import transactional
from app.models.keys import ApiKey
from app.services import rates
from app.services.rates import Allowance

ROLES = ("user", "admin")
NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """Who asks; sees is the owner whose rows they see, None: everybody's; key: how their key begins."""

    owner: str
    role: str
    key: str = ""
    allowance: Allowance | None = None

    @property
    def sees(self) -> str | None:
        """The owner to filter by."""
        return None if self.role == "admin" else self.owner


LOCAL = Caller("local", "admin")
"""Whoever comes by loopback in development."""


def create(owner: str, role: str = "user", requests_per_minute: int | None = None) -> str:
    """Make a key and return it, for the only time."""
    return make(owner, role, requests_per_minute)[0]


@transactional
def make(owner: str, role: str, requests_per_minute: int | None = None) -> tuple[str, ApiKey]:
    """Make a key; it is returned with its row for the only time."""
    if role not in ROLES or not owner or len(owner) > 64:
        raise InvalidInput("A key needs an owner of 1 to 64 characters and a role: user or admin.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    row = ApiKey.create(
        prefix=prefix,
        digest=_digest(secret),
        owner=owner,
        role=role,
        requests_per_minute=requests_per_minute,
        created_at=clock.now(),
    )
    return f"ytrag_{prefix}_{secret}", row


def caller(key: str) -> Caller:
    """Whose key it is, one request of it counted; Unauthorized, or RateLimited where none is left."""
    _, _, rest = key.partition("ytrag_")
    prefix, _, secret = rest.partition("_")
    row: ApiKey | None = ApiKey.get_or_none(prefix=prefix)
    known = row.digest if row else _digest("")
    if not compare_digest(known, _digest(secret)) or row is None or row.revoked_at is not None:
        raise Unauthorized("This key is not known, or it was revoked.")
    allowance = rates.spend(row)
    if allowance is None:
        _note_use(row)
    return Caller(row.owner, row.role, row.prefix, allowance)


@transactional
def revoke(prefix: str) -> None:
    """Put a key out of force at once."""
    mine = (ApiKey.prefix == prefix) & ApiKey.revoked_at.is_null()
    if not ApiKey.update(revoked_at=clock.now()).where(mine).execute():
        raise NotFound(f"There is no key in force that begins with ytrag_{prefix}_.")


def every() -> list[ApiKey]:
    """All keys, newest first, without their secrets."""
    return list(ApiKey.select().order_by(ApiKey.id.desc()))


def page(*, before: str | None, limit: int) -> list[ApiKey]:
    """Keys, newest first, those made before the one that begins so."""
    query = ApiKey.select().order_by(ApiKey.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ApiKey.id < ApiKey.select(ApiKey.id).where(ApiKey.prefix == before))
    return list(query)


def _note_use(row: ApiKey) -> None:
    now = clock.now()
    if row.last_used_at is None or row.last_used_at < now - NOTE_USE_EVERY:
        ApiKey.update(last_used_at=now).where(ApiKey.id == row.id).execute()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
