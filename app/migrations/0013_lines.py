"""Orders in which dispatchers find what is due, and a job its place in the line; which jobs lead others."""

import peewee as pw
from playhouse.migrate import SchemaMigrator

MADE = {"outbox": ("priority", "available_at"), "job": ("state", "priority", "follows_id", "id")}
DROPPED = "job_state_priority_id"


def up(migrator: SchemaMigrator, db: pw.Database) -> None:
    """Add the indexes and the column, and drop the index that is the beginning of another now."""
    if "leads" not in {column.name for column in db.get_columns("job")}:
        migrator.migrate(migrator.add_column("job", "leads", pw.BooleanField(default=False)))
        pw.Table("job", ("leads",)).bind(db).update(leads=True).execute()  # followers may be there
    for table, columns in MADE.items():
        # MySQL keeps what was done before a crash: another run must get past it.
        if columns not in {tuple(index.columns) for index in db.get_indexes(table)}:
            migrator.migrate(migrator.add_index(table, columns))
    if DROPPED in {index.name for index in db.get_indexes("job")}:
        migrator.migrate(migrator.drop_index("job", DROPPED))
