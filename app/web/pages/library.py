"""Pages of what was taken in: the list of videos, each one's transcript, and the search."""

import math
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlencode, urlsplit

from flask import g, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from app.engines.index import keywords
from app.engines.sources import link_at, youtube_id
from app.errors import YtragError
from app.models.videos import Video
from app.search_schemas import SearchQuery
from app.services import highlights, search, subtitles, transcripts, videos
from app.web import errors
from app.web.auth import caller
from app.web.jobs import check_cursor
from app.web.pages.blueprint import EMBEDS, blueprint
from app.web.pages.filters import web_address
from app.web.search import filters_of

PAGE = 20
PLAYABLE = (".mp4", ".webm", ".m4v", ".ogv", ".mp3", ".m4a", ".ogg", ".wav", ".flac")


@dataclass(frozen=True)
class Player:
    """What plays the video: embed, media (an address that a browser plays) or neither."""

    embed: str = ""
    media: str = ""


@blueprint.get("/videos")
def list_videos() -> str:
    """Videos, newest first."""
    cursor = request.args.get("cursor") or None
    check_cursor(cursor)
    found = videos.page(caller().sees, before=cursor, limit=PAGE + 1)
    older = found[PAGE - 1].id if len(found) > PAGE else None
    return render_template("videos.html", videos=found[:PAGE], older=older, cursor=cursor)


@blueprint.get("/videos/<video_id>")
def show_video(video_id: str) -> str:
    """The transcript with the video beside it, from second t on, with the words of q marked."""
    video = videos.get(video_id, caller().sees)
    sentences = subtitles.sentences_of(transcripts.segments_of(video.revision or ""))
    wanted = keywords(request.args.get("q", "")[:2000])
    start_s = _second()
    current = None
    if start_s is not None:
        begun = [number for number, sentence in enumerate(sentences) if sentence.start_s <= start_s + 1]
        current = begun[-1] if begun else 0
    player = _player(video, start_s)
    rows = [
        (sentence, highlights.spans(sentence.text, wanted), _address(video, player, sentence.start_s))
        for sentence in sentences
    ]
    return render_template(
        "video.html", video=video, rows=rows, current=current, player=player, start_s=start_s or 0
    )


@blueprint.post("/videos/<video_id>/delete")
def delete_video(video_id: str) -> Response:
    """Forget it."""
    videos.delete(video_id, caller().sees)
    return redirect(url_for("pages.list_videos"), 303)


@blueprint.get("/search")
def find() -> str | tuple[str, int]:
    """Sentences that answer, best first."""
    asked = {name: value for name, value in request.args.items() if value}
    if "q" not in asked:
        return render_template("search.html", asked=asked, page=None, problem="")
    try:
        query = SearchQuery.model_validate(asked)
        page = search.search(
            caller().sees,
            query.q,
            mode=query.mode,
            filters=filters_of(query),
            best_of_video=query.best_of_video,
            cursor=query.cursor,
        )
    except ValidationError as error:
        return render_template("search.html", asked=asked, page=None, problem=errors.sentence(error)), 422
    except YtragError as error:
        told = f"{error.detail} {error.hint}"
        return render_template("search.html", asked=asked, page=None, problem=told), errors.status_of(
            type(error)
        )
    more = urlencode({**asked, "cursor": page.next_cursor}) if page.next_cursor else ""
    return render_template("search.html", asked=asked, page=page, problem="", more=more)


def _second() -> float | None:
    try:
        second = float(request.args.get("t", ""))
    except ValueError:
        return None
    return second if 0 <= second < math.inf else None


def _player(video: Video, start_s: float | None) -> Player:
    url = web_address(video.webpage_url)
    identity = youtube_id(url) if url else None
    if identity:
        return Player(embed=_embed(identity, start_s))
    if url and PurePosixPath(urlsplit(url).path).suffix.lower() in PLAYABLE:
        parts = urlsplit(url)
        g.media_origin = f"{parts.scheme}://{parts.netloc}"
        return Player(media=url)
    return Player()


def _embed(identity: str, start_s: float | None, *, play: bool = False) -> str:
    asked = {"start": math.floor(start_s)} if start_s else {}
    return f"{EMBEDS}/embed/{identity}?{urlencode({**asked, **({'autoplay': 1} if play else {})})}".rstrip(
        "?"
    )


def _address(video: Video, player: Player, start_s: float) -> str:
    """Where a click on a sentence leads: into the player, or to the source at that second."""
    url = web_address(video.webpage_url)
    if player.embed:
        return _embed(youtube_id(url) or "", start_s, play=True)
    return link_at(url, start_s) if url else ""
