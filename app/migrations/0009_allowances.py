"""How many requests a key may make, and which jobs tell a webhook."""

import peewee as pw
from playhouse.migrate import SchemaMigrator

from app.models.base import MomentField


def up(migrator: SchemaMigrator, db: pw.Database) -> None:
    """Add the columns, as copies that later changes to the models leave alone."""
    columns: dict[str, dict[str, pw.Field]] = {
        "api_key": {
            "requests_per_minute": pw.IntegerField(null=True),
            "window_used": pw.IntegerField(default=0),
            "window_at": MomentField(null=True),
        },
        "job": {"notifies": pw.BooleanField(default=False)},
    }
    for table, wanted in columns.items():
        # MySQL keeps what was done before a crash: another run must get past it.
        known = {column.name for column in db.get_columns(table)}
        for name, field in wanted.items():
            if name not in known:
                migrator.migrate(migrator.add_column(table, name, field))
