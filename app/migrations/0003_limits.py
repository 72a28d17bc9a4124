"""Slots of what is scarce, and who waits for one."""

import peewee as pw
from playhouse.migrate import SchemaMigrator

from app.models.base import MomentField


def up(migrator: SchemaMigrator, db: pw.Database) -> None:
    """Make the table, as a copy that later changes to the model leave alone, and let outbox rows wait."""

    class Lease(pw.Model):
        resource = pw.CharField(max_length=300)
        slot = pw.SmallIntegerField()
        holder = pw.CharField(max_length=64, null=True)
        expires_at = MomentField()

        class Meta:
            database = db
            table_name = "lease"
            indexes = ((("resource", "slot"), True),)

    db.create_tables([Lease])
    # MySQL keeps what was done before a crash: another run must get past it.
    if "waits_for" not in {column.name for column in db.get_columns("outbox")}:
        waits_for = pw.CharField(max_length=300, null=True, index=True)
        migrator.migrate(migrator.add_column("outbox", "waits_for", waits_for))
