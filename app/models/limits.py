"""Who holds what is scarce."""

import peewee as pw

from app.models.base import MomentField, Row


class Lease(Row):
    """One slot of a resource, numbered from 0; free from expires_at on, whatever became of its holder."""

    id = pw.AutoField()
    resource = pw.CharField(300)
    slot = pw.SmallIntegerField()
    holder = pw.CharField(64, null=True)
    expires_at = MomentField()

    class Meta:
        indexes = ((("resource", "slot"), True),)
