"""Jobs, their stages and chunks, and what happened to them."""

import peewee as pw

from app.models.base import JsonField, MomentField, Row
from app.models.videos import Video

ACTIVE = ("scheduled", "pending", "running", "retrying")
"""States of a job that has not ended."""

ACTIVE_JOBS = f"state IN {ACTIVE}"
"""The same as a condition in SQL."""

OPEN = ("pending", "running", "retrying")
"""States of a stage or chunk that is not done."""

DONE = ("completed", "skipped")
"""States of a stage behind which the next one may start."""


class Job(Row):
    """One request to ingest one video.

    follows: another owner's job that does the work of this one too, which then has no stages until it ends.
    revision: what the segments are stored under that the job writes. acknowledged_at: when somebody took note
    of its failure, which then alarms nobody.
    notifies: somebody's webhook wants to hear of it. leads: others follow it, or did.
    spoken_language: what was detected, where none was given.
    """

    video_id: str | None
    follows_id: str | None
    id = pw.FixedCharField(26, primary_key=True)
    owner = pw.CharField(64)
    url = pw.TextField()
    name = pw.TextField()
    video = pw.ForeignKeyField(Video, null=True, on_delete="SET NULL")
    priority = pw.SmallIntegerField()
    mode = pw.CharField(10)
    language = pw.CharField(10, null=True)
    options = JsonField()
    state = pw.CharField(10)
    progress = pw.FloatField(default=0.0)
    idempotency_key = pw.CharField(255, null=True)
    request_hash = pw.FixedCharField(64)
    dedup_key = pw.FixedCharField(64, null=True, unique=True)
    follows = pw.ForeignKeyField("self", null=True, backref="followers", on_delete="SET NULL")
    revision = pw.FixedCharField(26)
    message_id = pw.FixedCharField(36)
    media_key = pw.CharField(255, null=True)
    audio_key = pw.CharField(255, null=True)
    duration_s = pw.FloatField(null=True)
    spoken_language = pw.CharField(10, null=True)
    warning = pw.TextField(null=True)
    error_code = pw.CharField(64, null=True)
    error_text = pw.TextField(null=True)
    event_seq = pw.IntegerField(default=0)
    notifies = pw.BooleanField(default=False)
    leads = pw.BooleanField(default=False)
    run_at = MomentField(null=True)
    created_at = MomentField()
    started_at = MomentField(null=True)
    finished_at = MomentField(null=True)
    acknowledged_at = MomentField(null=True)

    class Meta:
        indexes = (
            (("owner", "idempotency_key"), True),
            (("owner", "id"), False),
            (("owner", "state"), False),
            (("state", "priority", "follows", "id"), False),
            (("state", "id"), False),
            (("state", "finished_at"), False),
            (("error_code", "id"), False),
            (("video", "owner"), False),
        )


def family(job_id: str) -> pw.Expression:
    """The condition for a job and those that follow it and have not ended: what it tells holds for them."""
    return (Job.id == job_id) | ((Job.follows == job_id) & Job.state.in_(ACTIVE))


class Claimable(Row):
    """A piece of work that one worker at a time holds by a lease; fence counts the claims."""

    id = pw.AutoField()
    state = pw.CharField(10)
    attempt = pw.IntegerField(default=0)
    fence = pw.IntegerField(default=0)
    lease_until = MomentField(null=True)
    worker = pw.CharField(128, null=True)
    progress = pw.FloatField(default=0.0)
    next_retry_at = MomentField(null=True)
    started_at = MomentField(null=True)
    finished_at = MomentField(null=True)
    error_code = pw.CharField(64, null=True)
    error_text = pw.TextField(null=True)

    @classmethod
    def table(cls) -> str:
        """Its name in SQL."""
        return str(cls._meta.table_name)


class JobStage(Claimable):
    """One step of a job."""

    job_id: str
    job = pw.ForeignKeyField(Job, backref="stages", on_delete="CASCADE")
    name = pw.CharField(32)
    position = pw.SmallIntegerField()

    class Meta:
        indexes = ((("job", "position"), True), (("state", "lease_until"), False))


class Chunk(Claimable):
    """A slice of a job's audio, and the words that were recognised in it.

    released_at: since when it may be in the broker. made_from: what its words depend on, hashed.
    """

    job_id: str
    job = pw.ForeignKeyField(Job, backref="chunks", on_delete="CASCADE")
    position = pw.IntegerField()
    start_s = pw.FloatField()
    end_s = pw.FloatField()
    words = pw.BlobField(null=True)
    language = pw.CharField(10, null=True)
    recogniser = pw.CharField(128, null=True)
    released_at = MomentField(null=True)
    made_from = pw.FixedCharField(64, null=True)

    class Meta:
        indexes = ((("job", "position"), True), (("state", "lease_until"), False))


class JobEvent(Row):
    """Something that happened to a job; seq counts per job, without gaps."""

    id = pw.AutoField()
    job_id: str
    job = pw.ForeignKeyField(Job, backref="events", on_delete="CASCADE")
    seq = pw.IntegerField()
    type = pw.CharField(20)
    payload = JsonField()
    at = MomentField()

    class Meta:
        indexes = ((("job", "seq"), True),)
