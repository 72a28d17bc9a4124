"""Sessions of browsers: opened with a key or password, over with it, by signing out or after a day's work."""

import hashlib
import secrets
from datetime import timedelta

from app import clock
from app.models.base import transactional
from app.models.keys import ApiKey
from app.models.sessions import Session
from app.services import accounts, keys, rates
from app.services.keys import Caller

LIFETIME = timedelta(hours=12)


@transactional
def start(key: str) -> str:
    """Sign in with an API key and return the token of the session; Unauthorized for a key not in force."""
    return _open(keys.caller(key))


def start_with_password(name: str, password: str) -> str:
    """The same for an admin with a password."""
    accounts.check(name, password)
    return transactional(_open)(Caller(name, "admin"))


def _open(owner: Caller) -> str:
    Session.delete().where(Session.expires_at < clock.now()).execute()
    token = secrets.token_urlsafe(32)
    Session.create(
        digest=_digest(token),
        key_prefix=owner.key or None,
        owner=owner.owner,
        role=owner.role,
        created_at=clock.now(),
        expires_at=clock.now() + LIFETIME,
    )
    return token


def caller(token: str) -> Caller | None:
    """Who is signed in with this token; None if it is none, is over, or its key was revoked.

    The request counts as one of the key's; RateLimited where none is left.
    """
    alive = (Session.digest == _digest(token)) & (Session.expires_at > clock.now())
    session: Session | None = Session.get_or_none(alive)
    if session is None:
        return None
    if session.key_prefix is None:
        return Caller(session.owner, session.role)
    key: ApiKey | None = ApiKey.get_or_none(
        (ApiKey.prefix == session.key_prefix) & ApiKey.revoked_at.is_null()
    )
    return Caller(session.owner, session.role, key.prefix, rates.spend(key)) if key else None


@transactional
def end(token: str) -> None:
    """Sign out."""
    Session.delete().where(Session.digest == _digest(token)).execute()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
