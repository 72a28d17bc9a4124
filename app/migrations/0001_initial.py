"""The first tables."""

import peewee as pw

from app.models.base import JsonField, MomentField


def up(_migrator: object, db: pw.Database) -> None:
    """Make the tables, as copies that later changes to the models leave alone."""

    class ApiKey(pw.Model):
        prefix = pw.FixedCharField(8, unique=True)
        digest = pw.FixedCharField(64)
        owner = pw.CharField(max_length=64)
        role = pw.CharField(max_length=10)
        created_at = MomentField()
        last_used_at = MomentField(null=True)
        revoked_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "api_key"

    db.create_tables([ApiKey])

    class Video(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)
        extractor = pw.CharField(max_length=32)
        external_id = pw.CharField()
        title = pw.TextField()
        webpage_url = pw.TextField()
        channel = pw.CharField(null=True)
        language = pw.CharField(null=True, max_length=10)
        published_on = pw.DateField(null=True)
        thumbnail_url = pw.TextField(null=True)
        duration_s = pw.FloatField(null=True)
        revision = pw.FixedCharField(26, null=True)
        transcript_source = pw.CharField(null=True, max_length=128)
        created_at = MomentField()

        class Meta:
            database = db
            table_name = "video"
            indexes = ((("extractor", "external_id"), True),)

    db.create_tables([Video])

    class Job(pw.Model):
        id = pw.FixedCharField(26, primary_key=True)
        owner = pw.CharField(max_length=64)
        url = pw.TextField()
        name = pw.TextField()
        video = pw.ForeignKeyField(Video, null=True, on_delete="SET NULL")
        priority = pw.SmallIntegerField()
        mode = pw.CharField(max_length=10)
        language = pw.CharField(null=True, max_length=10)
        options = JsonField()
        state = pw.CharField(max_length=10)
        progress = pw.FloatField(default=0.0)
        idempotency_key = pw.CharField(null=True)
        request_hash = pw.FixedCharField(64)
        dedup_key = pw.FixedCharField(64, unique=True, null=True)
        follows = pw.ForeignKeyField("self", null=True, on_delete="SET NULL")
        revision = pw.FixedCharField(26)
        message_id = pw.FixedCharField(36)
        media_key = pw.CharField(null=True)
        audio_key = pw.CharField(null=True)
        duration_s = pw.FloatField(null=True)
        warning = pw.TextField(null=True)
        error_code = pw.CharField(null=True, max_length=64)
        error_text = pw.TextField(null=True)
        event_seq = pw.IntegerField(default=0)
        run_at = MomentField(null=True)
        created_at = MomentField()
        started_at = MomentField(null=True)
        finished_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "job"
            indexes = (
                (("owner", "idempotency_key"), True),
                (("owner", "id"), False),
                (("owner", "state"), False),
                (("state", "priority", "id"), False),
                (("state", "finished_at"), False),
                (("error_code", "id"), False),
                (("video", "owner"), False),
            )

    db.create_tables([Job])

    class Chunk(pw.Model):
        state = pw.CharField(max_length=10)
        attempt = pw.IntegerField(default=0)
        fence = pw.IntegerField(default=0)
        lease_until = MomentField(null=True)
        worker = pw.CharField(null=True, max_length=128)
        progress = pw.FloatField(default=0.0)
        next_retry_at = MomentField(null=True)
        started_at = MomentField(null=True)
        finished_at = MomentField(null=True)
        error_code = pw.CharField(null=True, max_length=64)
        error_text = pw.TextField(null=True)
        job = pw.ForeignKeyField(Job, on_delete="CASCADE")
        position = pw.IntegerField()
        start_s = pw.FloatField()
        end_s = pw.FloatField()
        words = pw.BlobField(null=True)
        language = pw.CharField(null=True, max_length=10)
        recogniser = pw.CharField(null=True, max_length=128)

        class Meta:
            database = db
            table_name = "chunk"
            indexes = ((("job", "position"), True), (("state", "lease_until"), False))

    db.create_tables([Chunk])

    class JobEvent(pw.Model):
        job = pw.ForeignKeyField(Job, on_delete="CASCADE")
        seq = pw.IntegerField()
        type = pw.CharField(max_length=20)
        payload = JsonField()
        at = MomentField()

        class Meta:
            database = db
            table_name = "job_event"
            indexes = ((("job", "seq"), True),)

    db.create_tables([JobEvent])

    class JobStage(pw.Model):
        state = pw.CharField(max_length=10)
        attempt = pw.IntegerField(default=0)
        fence = pw.IntegerField(default=0)
        lease_until = MomentField(null=True)
        worker = pw.CharField(null=True, max_length=128)
        progress = pw.FloatField(default=0.0)
        next_retry_at = MomentField(null=True)
        started_at = MomentField(null=True)
        finished_at = MomentField(null=True)
        error_code = pw.CharField(null=True, max_length=64)
        error_text = pw.TextField(null=True)
        job = pw.ForeignKeyField(Job, on_delete="CASCADE")
        name = pw.CharField(max_length=32)
        position = pw.SmallIntegerField()

        class Meta:
            database = db
            table_name = "job_stage"
            indexes = ((("job", "position"), True), (("state", "lease_until"), False))

    db.create_tables([JobStage])

    class Message(pw.Model):
        id = pw.FixedCharField(36, primary_key=True)
        queue = pw.CharField(max_length=32)
        actor = pw.CharField(max_length=32)
        subject = pw.FixedCharField(26, index=True)
        position = pw.IntegerField(null=True)
        priority = pw.SmallIntegerField()
        state = pw.CharField(max_length=10)
        attempts = pw.IntegerField(default=0)
        worker = pw.CharField(null=True, max_length=128)
        error = pw.TextField(null=True)
        traceback = pw.TextField(null=True)
        enqueued_at = MomentField(null=True)
        created_at = MomentField()
        updated_at = MomentField()

        class Meta:
            database = db
            table_name = "message"
            indexes = (
                (("queue", "state", "updated_at"), False),
                (("queue", "priority", "state", "enqueued_at"), False),
            )

    db.create_tables([Message])

    class MessageEvent(pw.Model):
        message = pw.ForeignKeyField(Message, on_delete="CASCADE")
        state = pw.CharField(max_length=10)
        worker = pw.CharField(null=True, max_length=128)
        at = MomentField()

        class Meta:
            database = db
            table_name = "message_event"

    db.create_tables([MessageEvent])

    class Outbox(pw.Model):
        target = pw.CharField(unique=True, max_length=80)
        actor = pw.CharField(max_length=32)
        subject = pw.FixedCharField(26, index=True)
        position = pw.IntegerField(null=True)
        priority = pw.SmallIntegerField()
        message_id = pw.FixedCharField(36)
        available_at = MomentField(index=True)
        lease_until = MomentField(null=True)
        created_at = MomentField()

        class Meta:
            database = db
            table_name = "outbox"

    db.create_tables([Outbox])

    class Segment(pw.Model):
        id = pw.CharField(primary_key=True, max_length=40)
        video = pw.ForeignKeyField(Video, on_delete="CASCADE")
        revision = pw.FixedCharField(26)
        position = pw.IntegerField()
        start_s = pw.FloatField()
        end_s = pw.FloatField()
        text = pw.TextField()
        sentences = JsonField()
        vectors = pw.BlobField(null=True)
        embedder = pw.CharField(null=True, max_length=128)

        class Meta:
            database = db
            table_name = "segment"
            indexes = ((("video", "revision", "position"), True),)

    db.create_tables([Segment])

    class VideoAccess(pw.Model):
        video = pw.ForeignKeyField(Video, on_delete="CASCADE")
        owner = pw.CharField(max_length=64)
        created_at = MomentField()

        class Meta:
            database = db
            table_name = "video_access"
            indexes = ((("video", "owner"), True), (("owner", "video"), False))

    db.create_tables([VideoAccess])

    class WorkerHeartbeat(pw.Model):
        name = pw.CharField(primary_key=True, max_length=128)
        server = pw.CharField(max_length=64)
        queues = pw.TextField()
        threads = pw.IntegerField()
        busy = pw.IntegerField()
        started_at = MomentField()
        seen_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "worker_heartbeat"

    db.create_tables([WorkerHeartbeat])
