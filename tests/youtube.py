"""Plays YouTube for yt-dlp's own extractor, without a network: pages, player answers, captions, sound, lists.

A test makes a YouTube in a folder and starts the program with its `environment`; each process that loads
yt-dlp then asks what the folder says at that moment, and what it asks for is logged there.
"""

import io
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

FOLDER = "PLAY_YOUTUBE"
ROOT = Path(__file__).parents[1]
PAGE_SIZE = 6
"""Videos of a list that come at once; of the real one 30."""


_TITLE = {"videoOwnerRenderer": {"title": {"runs": [{"text": "The Zoo"}]}}}
_RESULTS = {"results": {"contents": [{"videoSecondaryInfoRenderer": {"owner": _TITLE}}]}}
LANGUAGES = {"en": "English", "de": "German"}
TRANSLATIONS = {
    "translationLanguages": [
        {"languageCode": code, "languageName": {"simpleText": name}} for code, name in LANGUAGES.items()
    ]
}
OWNER = {"contents": {"twoColumnWatchNextResults": {"results": _RESULTS}}}


@dataclass
class Play:
    """A video: tracks are its captions as [language, kind ('' or 'asr'), json3 events].

    answer: ok, bot, live_in (of `starts_at`), live, private, no_files, an HTTP status for all that is asked,
    "file 403" for its sound alone, or a status and a reason of the player, such as "UNPLAYABLE: Not today".
    """

    id: str
    title: str
    seconds: int = 12
    tracks: list[tuple[str, str, list[dict[str, Any]]]] = field(default_factory=list)
    published: str = "2 days ago"
    description: str = "All about bees.\n0:00 The hive\n0:05 The queen\n0:09 The end"
    answer: str = "ok"
    starts_at: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One request: when (seconds of time.time), for which host and path, about which video."""

    at: float
    host: str
    path: str
    video: str


class YouTube:
    """What the folder says, as the test writes it; `answer` holds for all videos unless it is ok."""

    def __init__(self, folder: Path, sound: Path) -> None:
        self.folder, self.sound = folder.absolute(), sound.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.videos: list[Play] = []
        self.answer = "ok"
        self.save()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs that is to be played to."""
        return {FOLDER: str(self.folder), "PYTHONPATH": f"{ROOT / 'tests/plays'}:{ROOT}"}

    def save(self) -> None:
        """Let what was changed hold from the next request on."""
        told = {"videos": [asdict(video) for video in self.videos], "answer": self.answer}
        part = self.folder / "state.part"
        part.write_text(json.dumps(told | {"sound": str(self.sound)}))
        part.replace(self.folder / "state.json")

    def asked(self, path: str = "") -> list[Asked]:
        """The requests so far, for this path where one is given."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        every = [Asked(**json.loads(line)) for line in lines]
        return [one for one in every if not path or one.path == path]


def captioned(number: int, lines: Sequence[str], *, seconds: int = 12, kind: str = "") -> Play:
    """A video whose captions say these lines, one after the other, all its time."""
    each_ms = 1000 * seconds // len(lines)
    events = [
        {"tStartMs": n * each_ms, "dDurationMs": each_ms, "segs": [{"utf8": line}]}
        for n, line in enumerate(lines)
    ]
    return Play(f"video{number:06d}", f"Talk {number}", seconds, [("en", kind, events)])


def play() -> None:
    """Answer all that this process's yt-dlp asks from now on."""
    from yt_dlp.networking.common import (
        RequestHandler,
        Response,
        register_preference,
        register_rh,
    )
    from yt_dlp.networking.exceptions import HTTPError

    @register_rh
    class PlayerRH(RequestHandler):  # type: ignore[misc]  # yt-dlp is untyped
        _SUPPORTED_URL_SCHEMES = ("http", "https")
        _SUPPORTED_PROXY_SCHEMES = None
        _SUPPORTED_FEATURES = None

        def _check_extensions(self, extensions: dict[str, Any]) -> None:
            extensions.clear()

        def _send(self, request: Any) -> Any:
            status, body = _answer(request.url, json.loads(request.data) if request.data else {})
            headers = {"Content-Type": "text/html", "Content-Length": str(len(body))}
            response = Response(io.BytesIO(body), request.url, headers, status=status)
            if status >= 400:
                raise HTTPError(response)
            return response

    @register_preference(PlayerRH)  # type: ignore[untyped-decorator]  # likewise
    def before_all_others(_handler: object, _request: object) -> int:
        return 10**6


def _answer(url: str, body: dict[str, Any]) -> tuple[int, bytes]:
    folder = Path(os.environ[FOLDER])
    state = json.loads((folder / "state.json").read_text())
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    video_id = str(body.get("videoId") or query.get("v", [""])[0] or query.get("id", [""])[0])
    asked = Asked(time.time(), parts.netloc, parts.path, video_id)
    with (folder / "log").open("a") as log:
        log.write(json.dumps(asdict(asked)) + "\n")
    video = next((Play(**one) for one in state["videos"] if one["id"] == video_id), None)
    if video and state["answer"] != "ok":
        video.answer = state["answer"]
    if state["answer"].isdigit() or (video and video.answer.isdigit()):
        return int(state["answer"] if state["answer"].isdigit() else video.answer if video else 0), b""
    if video and parts.path == "/videoplayback" and video.answer.startswith("file "):
        return int(video.answer.removeprefix("file ")), b""
    return _reply(parts.path, query, body, state, video)


def _reply(
    path: str, query: dict[str, list[str]], body: dict[str, Any], state: dict[str, Any], video: Play | None
) -> tuple[int, bytes]:
    if path == "/iframe_api" or path.startswith("/embed/"):  # where the player's program would be named
        return 200, _page()
    if path == "/youtubei/v1/browse":
        return 200, json.dumps(_more(state["videos"], int(body["continuation"]))).encode()
    if path == "/playlist" or re.fullmatch(r"/@[\w.-]+/videos", path):
        if state["answer"] == "bot":
            return 200, b"<html>Our systems have detected unusual traffic</html>"
        return 200, _page(initial_data=_list(state["videos"], path))
    if video is None:
        return 404, b""
    if path == "/watch":
        return 200, _page(initial_data=OWNER, player=_player(video))
    if path == "/youtubei/v1/player":
        return 200, json.dumps(_player(video)).encode()
    if path == "/api/timedtext":
        wanted = (query["lang"][0], query.get("kind", [""])[0])
        events = next(events for language, kind, events in video.tracks if (language, kind) == wanted)
        return 200, json.dumps({"events": events}).encode()
    if path == "/videoplayback":
        return 200, Path(state["sound"]).read_bytes()
    return 404, b""


def _page(**known: Any) -> bytes:
    config = {"INNERTUBE_API_KEY": "k", "INNERTUBE_CONTEXT": {"client": {"clientName": "WEB"}}}
    names = {"initial_data": "ytInitialData", "player": "ytInitialPlayerResponse"}
    scripts = [f"ytcfg.set({json.dumps(config)});"]
    scripts += [f"var {names[name]} = {json.dumps(value)};" for name, value in known.items()]
    return ("<html>" + "".join(f"<script>{text}</script>" for text in scripts) + "</html>").encode()


def _player(video: Play) -> dict[str, Any]:
    if video.answer == "bot":
        reason = "Sign in to confirm you’re not a bot"
        return {"playabilityStatus": {"status": "LOGIN_REQUIRED", "reason": reason}}
    if video.answer == "private":
        return {"playabilityStatus": {"status": "LOGIN_REQUIRED", "reason": "This is a private video."}}
    status, _, reason = video.answer.partition(": ")
    if reason:
        return {"playabilityStatus": {"status": status, "reason": reason}}
    about: dict[str, Any] = {
        "videoId": video.id,
        "title": video.title,
        "lengthSeconds": str(video.seconds),
        "channelId": "UC" + "a" * 22,
        "author": "The Zoo",
        "shortDescription": video.description,
        "keywords": ["bees", "zoo"],
    }
    tracks = [
        {
            "baseUrl": f"https://www.youtube.com/api/timedtext?v={video.id}&lang={language}&kind={kind}",
            "name": {"simpleText": language},
            "languageCode": language,
            "kind": kind,
            "isTranslatable": True,
            "vssId": f"{'a' if kind else ''}.{language}",
        }
        for language, kind, _events in video.tracks
    ]
    sound = {
        "itag": 140,
        "url": f"https://rr1.googlevideo.com/videoplayback?id={video.id}",
        "mimeType": 'audio/mp4; codecs="mp4a.40.2"',
        "bitrate": 130000,
        "audioQuality": "AUDIO_QUALITY_MEDIUM",
        "approxDurationMs": str(video.seconds * 1000),
    }
    day = "2024-05-06T10:00:00+00:00"
    more: dict[str, Any] = {"publishDate": day, "uploadDate": day}
    told: dict[str, Any] = {
        "playabilityStatus": {"status": "OK"},
        "videoDetails": about,
        "microformat": {"playerMicroformatRenderer": more},
        "captions": {"playerCaptionsTracklistRenderer": {"captionTracks": tracks, **TRANSLATIONS}},
    }
    if video.answer == "live_in":
        starts = datetime.fromtimestamp(video.starts_at, UTC).isoformat(timespec="seconds")
        more["liveBroadcastDetails"] = {"isLiveNow": False, "startTimestamp": starts}
        told["playabilityStatus"] = {"status": "LIVE_STREAM_OFFLINE", "reason": "Premieres in 2 hours"}
        about["isUpcoming"] = True
        return told
    if video.answer == "live":
        more["liveBroadcastDetails"] = {"isLiveNow": True}
        about["isLive"] = True
    return told if video.answer == "no_files" else told | {"streamingData": {"adaptiveFormats": [sound]}}


def _list(videos: list[dict[str, Any]], path: str) -> dict[str, Any]:
    tab: dict[str, Any] = {"selected": True}
    if path == "/playlist":
        entries = {"playlistVideoListRenderer": {"contents": _entries(videos, 0, "playlistVideoRenderer")}}
        section = {"itemSectionRenderer": {"contents": [entries]}}
        tab["content"] = {"sectionListRenderer": {"contents": [section]}}
    else:
        tab["title"] = "Videos"
        tab["endpoint"] = {"commandMetadata": {"webCommandMetadata": {"url": path}}}
        tab["content"] = {"richGridRenderer": {"contents": _entries(videos, 0, "richItemRenderer")}}
    return {
        "contents": {"twoColumnBrowseResultsRenderer": {"tabs": [{"tabRenderer": tab}]}},
        "metadata": {"channelMetadataRenderer": {"title": "The Zoo", "externalId": "UC" + "a" * 22}},
    }


def _more(videos: list[dict[str, Any]], start: int) -> dict[str, Any]:
    items = {"continuationItems": _entries(videos, start, "richItemRenderer")}
    return {"onResponseReceivedActions": [{"appendContinuationItemsAction": items}]}


def _entries(videos: list[dict[str, Any]], start: int, kind: str) -> list[dict[str, Any]]:
    entries = []
    for video in videos[start : start + PAGE_SIZE]:
        one = {
            "videoId": video["id"],
            "title": {"runs": [{"text": video["title"]}]},
            "lengthText": {"simpleText": "0:12"},
            "publishedTimeText": {"simpleText": video["published"]},
        }
        entries.append({kind: {"content": {"videoRenderer": one}} if kind == "richItemRenderer" else one})
    if start + PAGE_SIZE < len(videos):
        command = {"continuationCommand": {"token": str(start + PAGE_SIZE)}}
        entries.append({"continuationItemRenderer": {"continuationEndpoint": command}})
    return entries
