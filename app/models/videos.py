"""Videos, who sees them, and the passages that a search finds."""

import peewee as pw

from app.models.base import JsonField, MomentField, Row


class Video(Row):
    """One video, stored once however many owners asked for it; revision names the segments that count.

    chapters are [title, start_s, end_s]. transcript_source: the recogniser, or captions:owner|auto:language.
    """

    id = pw.FixedCharField(26, primary_key=True)
    extractor = pw.CharField(32)
    external_id = pw.CharField(255)
    title = pw.TextField()
    webpage_url = pw.TextField()
    channel = pw.CharField(255, null=True)
    language = pw.CharField(10, null=True)
    published_on = pw.DateField(null=True)
    thumbnail_url = pw.TextField(null=True)
    description = pw.TextField(null=True)
    tags = JsonField(null=True)
    chapters = JsonField(null=True)
    duration_s = pw.FloatField(null=True)
    revision = pw.FixedCharField(26, null=True)
    transcript_source = pw.CharField(128, null=True)
    created_at = MomentField()

    class Meta:
        indexes = ((("extractor", "external_id"), True),)


class VideoAccess(Row):
    """An owner sees a video."""

    id = pw.AutoField()
    video_id: str
    video = pw.ForeignKeyField(Video, backref="accesses", on_delete="CASCADE")
    owner = pw.CharField(64)
    created_at = MomentField()

    class Meta:
        indexes = ((("video", "owner"), True), (("owner", "video"), False))


class Segment(Row):
    """A passage of transcript; sentences are [text, start_s, end_s].

    doubt: why it may never have been said; it then has no vectors and no place in the index.

    vectors is a packed float16 array (1 + sentences, dimension): the passage's own, then one a sentence.
    """

    video_id: str
    id = pw.CharField(40, primary_key=True)
    video = pw.ForeignKeyField(Video, backref="segments", on_delete="CASCADE")
    revision = pw.FixedCharField(26)
    position = pw.IntegerField()
    start_s = pw.FloatField()
    end_s = pw.FloatField()
    text = pw.TextField()
    sentences = JsonField()
    doubt = pw.CharField(20, null=True)
    vectors = pw.BlobField(null=True)
    embedder = pw.CharField(128, null=True)

    class Meta:
        indexes = ((("video", "revision", "position"), True),)
