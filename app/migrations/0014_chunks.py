"""Chunks that are let into the broker one after the other and that know what they were made from."""

from typing import Any

import peewee as pw
from playhouse.migrate import SchemaMigrator

from app.models.base import MomentField


def up(migrator: SchemaMigrator, db: pw.Database) -> None:
    """Add the columns; MySQL keeps what was done before a crash, so that another run must get past it."""
    added: dict[str, dict[str, pw.Field]] = {
        "chunk": {"released_at": MomentField(null=True), "made_from": pw.FixedCharField(64, null=True)},
        "job": {"spoken_language": pw.CharField(10, null=True)},
        "segment": {"doubt": pw.CharField(20, null=True)},
    }
    for table, fields in added.items():
        there = {column.name for column in db.get_columns(table)}
        missing = {name: field for name, field in fields.items() if name not in there}
        migrator.migrate(*(migrator.add_column(table, name, field) for name, field in missing.items()))
    # What there was before had no window: all of it is in the broker.
    execute: Any = db.execute_sql
    execute("UPDATE chunk SET released_at = CURRENT_TIMESTAMP WHERE released_at IS NULL")
