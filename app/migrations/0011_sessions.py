"""Who is signed in with a browser."""

import peewee as pw

from app.models.base import MomentField


def up(_migrator: object, db: pw.Database) -> None:
    """Make the table, as a copy that later changes to the model leave alone."""

    class Session(pw.Model):
        id = pw.AutoField()
        digest = pw.FixedCharField(64, unique=True)
        key_prefix = pw.FixedCharField(8, null=True)
        owner = pw.CharField(max_length=64)
        role = pw.CharField(max_length=10)
        created_at = MomentField()
        expires_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "session"

    db.create_tables([Session])
