"""Videos: taking them in, listing, reading and deleting them."""

import re
from datetime import timedelta
from pathlib import PurePath

from flask import Response, request
from flask_openapi import APIBlueprint, FileStorage, Tag
from pydantic import BaseModel, Field
from werkzeug.datastructures import FileStorage as File

from app import clock, config
from app.engines.sources import canonical_url
from app.errors import InvalidInput
from app.models.videos import Video
from app.schemas import (
    PRIORITIES,
    Accepted,
    PageQuery,
    ProcessBody,
    TranscriptAnswer,
    TranscriptQuery,
    UploadFields,
    VideoAnswer,
    VideoDetailAnswer,
    VideoPage,
)
from app.services import intake, space, subtitles, transcripts, uploads, videos, webhooks
from app.services.intake import Receipt, Request
from app.web.auth import caller
from app.web.jobs import check_cursor
from app.web.links import job_links, video_links
from monitoring import metrics

blueprint = APIBlueprint("videos", __name__, url_prefix="/api/videos", abp_tags=[Tag(name="videos")])


class VideoPath(BaseModel):
    """Which video."""

    video_id: str = Field(max_length=64)


class UploadForm(UploadFields):
    """A media file."""

    file: FileStorage


@blueprint.post("/process", responses={202: Accepted, 200: Accepted})
def process(body: ProcessBody) -> tuple[dict[str, object], int, dict[str, str]]:
    """Ingest the video at a URL. An Idempotency-Key header makes sending it again harmless."""
    return _accepted(take_url(body))


def take_url(body: ProcessBody) -> Receipt:
    """Accept what the body asks for."""
    if body.run_at and body.delay_s:
        raise InvalidInput("run_at and delay_s exclude one another; send one of them.")
    url = canonical_url(body.url, config.current().allowed_sources)
    space.check()
    delayed = clock.now() + timedelta(seconds=body.delay_s) if body.delay_s else None
    wanted = Request(
        owner=caller().owner,
        url=url,
        name=f"Process video: {url}",
        mode=body.mode,
        priority=PRIORITIES[body.priority],
        language=body.language,
        options=body.options,
        run_at=body.run_at or delayed,
        force=body.force,
        idempotency_key=_idempotency_key(),
        webhook_url=webhooks.check(body.webhook_url) if body.webhook_url else None,
    )
    return _counted(intake.accept(wanted))


@blueprint.post("/upload", responses={202: Accepted, 200: Accepted})
def upload(form: UploadForm) -> tuple[dict[str, object], int, dict[str, str]]:
    """Ingest a media file."""
    return _accepted(take_file(form.file, form), title=form.title)


def take_file(file: File, wishes: UploadFields) -> Receipt:
    """Accept a media file."""
    space.check()
    name = PurePath((file.filename or "").replace("\\", "/")).name or "upload"
    receipt = uploads.accept(
        file.stream,
        owner=caller().owner,
        filename=name,
        title=wishes.title or PurePath(name).stem,
        priority=PRIORITIES[wishes.priority],
        language=wishes.language,
        force=wishes.force,
        idempotency_key=_idempotency_key(),
    )
    return _counted(receipt)


@blueprint.get("", responses={200: VideoPage})
def list_videos(query: PageQuery) -> dict[str, object]:
    """Videos whose transcript can be read and searched, newest first."""
    check_cursor(query.cursor)
    found = videos.page(caller().sees, before=query.cursor, limit=query.limit + 1)
    rows = [_answer(video) for video in found[: query.limit]]
    next_cursor = rows[-1].id if len(found) > query.limit else None
    return VideoPage(data=rows, next_cursor=next_cursor).model_dump(mode="json")


@blueprint.get("/<video_id>", responses={200: VideoDetailAnswer})
def show(path: VideoPath) -> dict[str, object]:
    """One video."""
    video = videos.get(path.video_id, caller().sees)
    names = ("title", "start_s", "end_s")
    more = {
        "description": video.description,
        "tags": video.tags or [],
        "chapters": [dict(zip(names, chapter, strict=True)) for chapter in video.chapters or []],
    }
    answer = VideoDetailAnswer.model_validate({**vars(_answer(video)), **more})
    return answer.model_dump(mode="json")


@blueprint.delete("/<video_id>", responses={204: None})
def delete(path: VideoPath) -> Response:
    """Forget a video with all that belongs to it."""
    videos.delete(path.video_id, caller().sees)
    return Response(status=204)


@blueprint.get("/<video_id>/transcript", responses={200: TranscriptAnswer})
def show_transcript(path: VideoPath, query: TranscriptQuery) -> Response | dict[str, object]:
    """All that is said, as JSON with times, SubRip, WebVTT or plain text."""
    video = videos.get(path.video_id, caller().sees)
    segments = transcripts.segments_of(video.revision or "")
    if query.format != "json":
        write, media_type = subtitles.FORMATS[query.format]
        return Response(write(subtitles.sentences_of(segments)), content_type=media_type)
    answer = {
        "video_id": video.id,
        "title": video.title,
        "language": video.language,
        "source": video.transcript_source,
        "duration_s": video.duration_s,
        "sentences": subtitles.with_doubts(segments),
    }
    return TranscriptAnswer.model_validate(answer).model_dump(mode="json")


def _answer(video: Video) -> VideoAnswer:
    return VideoAnswer.model_validate(
        {**video.__data__, "url": video.webpage_url, "links": video_links(video.id)}
    )


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch("[!-~]{1,255}", key):
        raise InvalidInput("Idempotency-Key may have 1 to 255 visible ASCII characters, no spaces.")
    return key


def _counted(receipt: Receipt) -> Receipt:
    metrics.jobs_submitted_total.labels("duplicate" if receipt.deduplicated else "accepted").inc()
    return receipt


def _accepted(receipt: Receipt, *, title: str | None = None) -> tuple[dict[str, object], int, dict[str, str]]:
    job, links = receipt.job, job_links(receipt.job.id)
    message = "The video will be processed."
    if receipt.deduplicated:
        message = f"This is job {job.id} already."
    elif job.state == "completed":
        message = "The video was processed before; it is there to be searched."
    if title and job.video and job.video.title != title:
        message += f" Its title stays {job.video.title!r}; with force it is processed anew under yours."
    answer = Accepted(
        job_id=job.id,
        message_id=job.message_id,
        status="Queued" if job.state != "completed" and not receipt.deduplicated else job.state.capitalize(),
        message=message,
        deduplicated=receipt.deduplicated,
        webhook_id=receipt.webhook.webhook.id if receipt.webhook else None,
        webhook_secret=receipt.webhook.secret if receipt.webhook else None,
        links=links,
    )
    return answer.model_dump(mode="json"), 200 if receipt.deduplicated else 202, {"Location": links["status"]}
