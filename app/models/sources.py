"""Where downloads come from, and whether they may."""

import peewee as pw

from app.models.base import MomentField, Row


class Source(Row):
    """A host that refused us, or that an operator paused; without a row all is well.

    state: closed (downloads run), open (they wait until a probe) or half_open (one of them is the probe, and
    takes no longer than `until`). failures counts how often it was opened since it last answered.
    """

    name = pw.CharField(255, primary_key=True)
    state = pw.CharField(10, default="closed")
    failures = pw.IntegerField(default=0)
    error_code = pw.CharField(64, null=True)
    error_text = pw.TextField(null=True)
    since = MomentField()
    until = MomentField(null=True)
    probed_at = MomentField(null=True)
    paused_at = MomentField(null=True)
    paused_by = pw.CharField(64, null=True)
