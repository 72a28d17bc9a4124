"""When the dispatchers last did each of their tasks, and which failures somebody has taken note of."""

import peewee as pw
from playhouse.migrate import SchemaMigrator

from app.models.base import MomentField


def up(migrator: SchemaMigrator, db: pw.Database) -> None:
    """Make the table, as a copy that later changes to the model leave alone, and let failures be noted."""

    class DispatcherRun(pw.Model):
        task = pw.CharField(max_length=32, primary_key=True)
        ran_at = MomentField()

        class Meta:
            database = db
            table_name = "dispatcher_run"

    db.create_tables([DispatcherRun])
    # MySQL keeps what was done before a crash: another run must get past it.
    if "acknowledged_at" not in {column.name for column in db.get_columns("job")}:
        migrator.migrate(migrator.add_column("job", "acknowledged_at", MomentField(null=True)))
