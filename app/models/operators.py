"""Who operates the house with a browser, and what was done there."""

import peewee as pw

from app.models.base import MomentField, Row


class Account(Row):
    """An admin who signs in with a name and a password, of which only an argon2id hash is kept."""

    name = pw.CharField(64, primary_key=True)
    password_hash = pw.CharField(255)
    created_at = MomentField()
    changed_at = MomentField()


class SignInWindow(Row):
    """How often signing in was tried since window_at, by a name or from an address."""

    subject = pw.CharField(80, primary_key=True)
    window_used = pw.IntegerField()
    window_at = MomentField(index=True)


class AuditEntry(Row):
    """Somebody did something on the dashboard, or tried to: who, what, to what, and how it went."""

    id = pw.AutoField()
    at = MomentField(index=True)
    who = pw.CharField(100)
    action = pw.CharField(32)
    target = pw.TextField()
    outcome = pw.TextField()
