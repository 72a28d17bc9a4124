"""Many videos that were asked for at once, and the jobs that ingest them."""

import peewee as pw

from app.models.base import JsonField, MomentField, Row
from app.models.jobs import Claimable, Job


class Batch(Claimable):
    """Addresses of videos, or a playlist or channel that has to be listed; its own state is the listing's.

    wishes: what each of its jobs is to be asked for. only_new: without what the owner has, or had in an
    earlier batch of the same list.
    """

    id = pw.FixedCharField(26, primary_key=True)  # type: ignore[assignment]  # told, unlike a stage's
    owner = pw.CharField(64)
    url = pw.TextField(null=True)
    title = pw.TextField(null=True)
    wishes = JsonField()
    most = pw.IntegerField()
    since = pw.DateField(null=True)
    only_new = pw.BooleanField()
    listed_at = MomentField(null=True)
    created_at = MomentField()

    class Meta:
        indexes = ((("owner", "id"), False),)


class BatchEntry(Row):
    """One video of a batch: its job, or why there is none; key tells its address from the batch's others."""

    batch_id: str
    job_id: str | None
    id = pw.AutoField()
    batch = pw.ForeignKeyField(Batch, backref="entries", on_delete="CASCADE")
    position = pw.IntegerField()
    key = pw.FixedCharField(64)
    url = pw.TextField()
    title = pw.TextField(null=True)
    job = pw.ForeignKeyField(Job, null=True, on_delete="CASCADE")
    error_code = pw.CharField(64, null=True)
    error_text = pw.TextField(null=True)

    class Meta:
        indexes = ((("batch", "key"), True), (("key", "batch"), False))
