"""Admins who sign in with a name and a password instead of an API key."""

import threading
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app import clock
from app.errors import InvalidInput, NotFound, Unauthorized
from app.models.base import transactional
from app.models.operators import Account, SignInWindow
from app.models.sessions import Session
from app.refusals import TooManyTries

LEAST, MOST = 12, 200
"""Characters of a password."""
WINDOW = timedelta(minutes=15)
TRIES_OF_NAME, TRIES_FROM_ADDRESS = 10, 30
"""In a window, so that guessing takes for ever; a key, which nobody guesses, opens meanwhile."""

_hasher = PasswordHasher()
_nobody = "$argon2id$v=19$m=65536,t=3,p=4$aHHAgXl8utjCixaU/wR8WA$oWA+hYz4704sQExcIjAeQ1Z2Yf45DFQrtAkxnkd3fjE"
"""Of no password: an unknown name takes as long as a known one."""
_few = threading.Semaphore(2)
"""Each hash takes 64 MiB."""


def put(name: str, password: str) -> bool:
    """Add the admin or change the password, which ends all their sessions; says whether the admin is new."""
    if not name or len(name) > 64 or not name.isprintable():
        raise InvalidInput("An admin needs a name of 1 to 64 characters.")
    if not LEAST <= len(password) <= MOST:
        raise InvalidInput(f"A password needs {LEAST} to {MOST} characters.")
    return _put(name, _hasher.hash(password))


@transactional
def _put(name: str, hashed: str) -> bool:
    _end_sessions(name)
    changes = {"password_hash": hashed, "changed_at": clock.now()}
    if Account.update(changes).where(Account.name == name).execute():
        return False
    Account.insert(name=name, created_at=clock.now(), **changes).execute()
    return True


@transactional
def delete(name: str) -> None:
    """Let the admin in no more, and end all their sessions."""
    if not Account.delete().where(Account.name == name).execute():
        raise NotFound(f"There is no admin {name!r}.")
    _end_sessions(name)


def every() -> list[Account]:
    """All admins with a password."""
    return list(Account.select().order_by(Account.name))


def check(name: str, password: str) -> None:
    """Unauthorized unless it is this admin's password."""
    account: Account | None = Account.get_or_none(name=name)
    try:
        with _few:
            _hasher.verify(account.password_hash if account else _nobody, password[:MOST])
    except (VerificationError, InvalidHashError):
        account = None
    if account is None:
        raise Unauthorized("No admin has this name and password.")


def spend_try(address: str, name: str) -> None:
    """Count one try to sign in with the name, and from the address; TooManyTries where none is left."""
    for subject, tries in _windows(address, name).items():
        if not _spend(subject, tries):
            raise TooManyTries("There were too many tries to sign in.")


@transactional
def forget_tries(address: str, name: str) -> None:
    """The admin is in: earlier tries with the name count no more, nor does this one from the address."""
    here, named = _windows(address, name)
    SignInWindow.delete().where(SignInWindow.subject == named).execute()
    back = SignInWindow.update(window_used=SignInWindow.window_used - 1)
    back.where((SignInWindow.subject == here) & (SignInWindow.window_used > 0)).execute()


def _windows(address: str, name: str) -> dict[str, int]:
    return {f"address:{address[:64]}": TRIES_FROM_ADDRESS, f"name:{name[:64]}": TRIES_OF_NAME}


@transactional
def _spend(subject: str, most: int) -> bool:
    now = clock.now()
    SignInWindow.delete().where(SignInWindow.window_at < now - WINDOW).execute()
    SignInWindow.insert(subject=subject, window_used=0, window_at=now).on_conflict_ignore().execute()
    left = (SignInWindow.subject == subject) & (SignInWindow.window_used < most)
    return bool(SignInWindow.update(window_used=SignInWindow.window_used + 1).where(left).execute())


def _end_sessions(name: str) -> None:
    Session.delete().where((Session.owner == name) & Session.key_prefix.is_null()).execute()
