"""What a video's owner says of it at length."""

import peewee as pw
from playhouse.migrate import SchemaMigrator

from app.models.base import JsonField


def up(migrator: SchemaMigrator, db: pw.Database) -> None:
    """Add the columns; MySQL keeps what was done before a crash, so that another run must get past it."""
    added: dict[str, pw.Field] = {
        "description": pw.TextField(null=True),
        "tags": JsonField(null=True),
        "chapters": JsonField(null=True),
    }
    there = {column.name for column in db.get_columns("video")}
    missing = {name: field for name, field in added.items() if name not in there}
    migrator.migrate(*(migrator.add_column("video", name, field) for name, field in missing.items()))
