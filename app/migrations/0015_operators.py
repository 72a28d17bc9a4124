"""Admins who sign in with a password, what was done on the dashboard, and its order of jobs."""

import peewee as pw
from playhouse.migrate import SchemaMigrator

from app.models.base import MomentField


def up(migrator: SchemaMigrator, db: pw.Database) -> None:
    """Make the tables, as copies that later changes to the models leave alone, and an index for the lists."""

    class Made(pw.Model):
        class Meta:
            database = db

    class Account(Made):
        name = pw.CharField(max_length=64, primary_key=True)
        password_hash = pw.CharField(max_length=255)
        created_at = MomentField()
        changed_at = MomentField()

        class Meta:
            table_name = "account"

    class SignInWindow(Made):
        subject = pw.CharField(max_length=80, primary_key=True)
        window_used = pw.IntegerField()
        window_at = MomentField(index=True)

        class Meta:
            table_name = "sign_in_window"

    class AuditEntry(Made):
        id = pw.AutoField()
        at = MomentField(index=True)
        who = pw.CharField(max_length=100)
        action = pw.CharField(max_length=32)
        target = pw.TextField()
        outcome = pw.TextField()

        class Meta:
            table_name = "audit_entry"

    db.create_tables([Account, SignInWindow, AuditEntry])
    # MySQL keeps what was done before a crash: another run must get past it.
    if ("state", "id") not in {tuple(index.columns) for index in db.get_indexes("job")}:
        migrator.migrate(migrator.add_index("job", ("state", "id")))
