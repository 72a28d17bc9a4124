"""Captions: which track is taken, and what its words and their times are."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.engines import captions
from app.errors import NoCaptions

OWNER = [{"tStartMs": 0, "dDurationMs": 4000, "segs": [{"utf8": "Bees fly.\nThey hum."}]}]
HEARD = [
    {"tStartMs": 0, "dDurationMs": 9000, "segs": [{"utf8": "bees"}, {"utf8": " fly", "tOffsetMs": 500}]},
    {"tStartMs": 1000, "dDurationMs": 3000, "aAppend": 1, "segs": [{"utf8": "\n"}]},
    {"tStartMs": 2000, "dDurationMs": 3000, "segs": [{"utf8": "they"}, {"utf8": " hum", "tOffsetMs": 300}]},
]
VTT = """WEBVTT

1
00:00.000 --> 00:02.000 align:start
<v Ann>Bees &amp; wasps <i>fly</i>.

01:00:00.500 --> 01:00:01.500
♪ [music] ♪
"""


def track(*names: str) -> list[dict[str, str]]:
    return [{"ext": name.rpartition(".")[2], "url": name} for name in names]


def fetch(url: str) -> bytes:
    name, _, form = url.rpartition(".")
    if form in ("vtt", "srt"):
        return VTT.encode()
    return json.dumps({"events": HEARD if "heard" in name else OWNER}).encode()


def refuse(url: str) -> bytes:
    raise ConnectionError(url)


def find(
    mode: str = "auto", language: str | None = None, fetch: Callable[[str], bytes] = fetch, **found: Any
) -> dict[str, Any] | None:
    return captions.find({"duration": 4, **found}, mode=mode, language=language, fetch=fetch)


def source(**how: Any) -> str | None:
    told = find(**how)
    return str(told["source"]) if told else None


def test_the_owners_words_share_their_lines_time_by_their_letters() -> None:
    told = find(subtitles={"en-GB": track("own.vtt", "own.json3")}, language="en")

    assert told == {
        "source": "captions:owner:en-GB",
        "language": "en",
        "words": [
            ("Bees", 0.0, 1.0),
            ("fly.", 1.0, 2.0),
            ("They", 2.0, 3.0),
            ("hum.", 3.0, 4.0),
        ],
    }


def test_words_that_a_source_heard_keep_their_own_times_and_reach_into_no_other() -> None:
    told = find(mode="captions", automatic_captions={"en-orig": track("heard.json3")})

    assert told is not None
    assert told["source"] == "captions:auto:en"
    assert told["words"] == [
        ("bees", 0.0, 0.5),
        ("fly", 0.5, 2.0),
        ("they", 2.0, 2.3),
        ("hum", 2.3, 4.3),
    ]


def test_web_captions_lose_mark_up_and_what_is_not_said() -> None:
    told = find(subtitles={"en": track("page.vtt")}, duration=None)

    assert told is not None
    assert [word for word, _, _ in told["words"]] == ["Bees", "&", "wasps", "fly."]
    assert told["words"][-1][2] == 2.0


ENGLISH, GERMAN = {"en": track("own.json3")}, {"de": track("own.json3")}
HEARD_EN = {"en-orig": track("heard.json3"), "en": track("heard.json3"), "de": track("heard.json3")}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"subtitles": ENGLISH}, "captions:owner:en"),
        ({"subtitles": ENGLISH, "mode": "asr"}, None),
        ({"subtitles": {**ENGLISH, **GERMAN}}, None),
        ({"subtitles": {**ENGLISH, **GERMAN}, "found_language": "de-AT"}, "captions:owner:de"),
        ({"subtitles": {**ENGLISH, **GERMAN}, "automatic_captions": HEARD_EN}, "captions:owner:en"),
        ({"subtitles": GERMAN, "automatic_captions": HEARD_EN}, None),
        ({"subtitles": GERMAN, "automatic_captions": HEARD_EN, "mode": "captions"}, "captions:auto:en"),
        ({"subtitles": ENGLISH, "automatic_captions": HEARD_EN, "mode": "captions"}, "captions:owner:en"),
        ({"subtitles": ENGLISH, "language": "de"}, None),
        ({"automatic_captions": HEARD_EN}, None),
        ({"subtitles": {"live_chat": track("chat.json3")}}, None),
        ({"subtitles": {"en": track("own.ttml")}}, None),
        ({}, None),
    ],
)
def test_only_a_track_in_the_language_of_the_speech_is_taken(
    how: dict[str, Any], expected: str | None
) -> None:
    spoken = {"language": how.pop("found_language")} if "found_language" in how else {}
    found = {"duration": 4, **spoken, **{k: v for k, v in how.items() if k not in ("mode", "language")}}

    told = captions.find(found, mode=how.get("mode", "auto"), language=how.get("language"), fetch=fetch)

    assert (told and told["source"]) == expected


@pytest.mark.parametrize("duration", [4, 60, 64])
def test_a_track_that_covers_the_video_is_whole(duration: float) -> None:
    assert source(subtitles=ENGLISH, duration=duration) == "captions:owner:en"


@pytest.mark.parametrize("duration", [65, 600])
def test_a_track_that_ends_too_early_counts_as_none(duration: float) -> None:
    assert source(subtitles=ENGLISH, duration=duration) is None


def test_a_track_of_a_longer_video_counts_as_none() -> None:
    late = [*OWNER, {"tStartMs": 20_000, "dDurationMs": 1000, "segs": [{"utf8": "Later"}]}]

    assert source(subtitles=ENGLISH, fetch=lambda _url: json.dumps({"events": late}).encode()) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"events": []}'])
def test_a_track_that_is_empty_or_something_else_counts_as_none(body: bytes) -> None:
    assert source(subtitles=ENGLISH, fetch=lambda _url: body) is None


def test_a_refused_track_is_none_unless_captions_alone_were_asked_for() -> None:
    assert source(subtitles=ENGLISH, fetch=refuse) is None
    with pytest.raises(ConnectionError):
        source(subtitles=ENGLISH, fetch=refuse, mode="captions")


@pytest.mark.parametrize("found", [{}, {"subtitles": ENGLISH, "duration": 600}])
def test_where_captions_alone_were_asked_for_having_none_is_an_error(found: dict[str, Any]) -> None:
    with pytest.raises(NoCaptions, match="no captions that cover the whole video"):
        find(mode="captions", **found)
