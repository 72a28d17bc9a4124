"""Addresses of videos: which are taken, in what form, and how they open at a second."""

import pytest

from app.config import YOUTUBE_HOSTS
from app.engines.sources import canonical_list, canonical_url, is_youtube_list, link_at, youtube_id
from app.errors import InvalidUrl, SourceNotAllowed

VIDEO = "https://www.youtube.com/watch?v=jNQXAC9IVRw"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=jNQXAC9IVRw",
        "http://youtube.com/watch?v=jNQXAC9IVRw",
        "https://www.youtube.com/watch?feature=share&v=jNQXAC9IVRw&list=PLx&index=3&t=12s#top",
        "https://m.youtube.com/watch?v=jNQXAC9IVRw&pp=abc",
        "https://music.youtube.com/watch?v=jNQXAC9IVRw&si=abc",
        "https://youtu.be/jNQXAC9IVRw?si=abc&t=4",
        "https://youtu.be/jNQXAC9IVRw&feature=share",
        "https://www.youtube.com/shorts/jNQXAC9IVRw?feature=share",
        "https://www.youtube.com/embed/jNQXAC9IVRw?start=4",
        "https://www.youtube-nocookie.com/embed/jNQXAC9IVRw",
        "https://www.youtube.com/live/jNQXAC9IVRw",
        "https://WWW.YouTube.com:443/watch?v=jNQXAC9IVRw",
        "  https://www.youtube.com/watch?v=jNQXAC9IVRw\n",
    ],
)
def test_every_form_of_a_youtube_address_becomes_the_same_one(url: str) -> None:
    assert canonical_url(url, YOUTUBE_HOSTS) == VIDEO


@pytest.mark.parametrize("video_id", ["dQw4w9WgXcQ", "-_-_-_-_-_-", "___________"])
def test_the_letters_of_an_id_are_kept_as_they_are(video_id: str) -> None:
    assert youtube_id(canonical_url(f"https://youtu.be/{video_id}", YOUTUBE_HOSTS)) == video_id


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/playlist?list=PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf",
        "https://www.youtube.com/watch?list=PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf",
        "https://www.youtube.com/embed/videoseries?list=PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf",
        "https://www.youtube.com/embed/live_stream?channel=UCabc",
        "https://www.youtube.com/@jawed",
        "https://www.youtube.com/@jawed/videos",
        "https://www.youtube.com/channel/UC4QobU6STFB0P71PMvOGN5A",
        "https://www.youtube.com/c/jawed",
    ],
)
def test_a_playlist_or_channel_is_refused_with_a_sentence_that_asks_for_one_video(url: str) -> None:
    with pytest.raises(InvalidUrl, match="one video is expected"):
        canonical_url(url, YOUTUBE_HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/",
        "https://youtu.be/",
        "https://www.youtube.com/watch?v=",
        "https://www.youtube.com/watch?v=jNQXAC9IVR",
        "https://www.youtube.com/watch?v=jNQXAC9IVRwX",
        "https://www.youtube.com/watch?v=jNQXAC9IVR%22",
        "https://www.youtube.com/shorts/",
    ],
)
def test_a_youtube_address_without_an_id_of_11_characters_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl, match="11-character id"):
        canonical_url(url, YOUTUBE_HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bees",
        "www.youtube.com/watch?v=jNQXAC9IVRw",
        "ftp://media.example.org/talk.mp4",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///talk.mp4",
        "http://[::1/talk.mp4",
        "http://media.example.org:99999/talk.mp4",
        "http://media.example.org:port/talk.mp4",
        "http://media.example.org/two words.mp4",
        "http://media.example.org/line\nbreak.mp4",
        "http://media.example.org\\.evil.example/talk.mp4",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl, match="not a web address"):
        canonical_url(url, ("media.example.org", *YOUTUBE_HOSTS))


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidUrl) as refusal:
        canonical_url("https://ann:secret@media.example.org/talk.mp4", ("media.example.org",))

    assert "secret" not in refusal.value.detail


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://media.example.org.evil.example/talk.mp4", "media.example.org.evil.example"),
        ("http://sub.media.example.org/talk.mp4", "sub.media.example.org"),
        ("http://example.org/talk.mp4", "example.org"),
        ("http://www.youtube.com.evil.example/watch?v=jNQXAC9IVRw", "www.youtube.com.evil.example"),
        ("http://notyoutube.com/watch?v=jNQXAC9IVRw", "notyoutube.com"),
        ("http://127.0.0.1/talk.mp4", "127.0.0.1"),
        (VIDEO, "www.youtube.com"),
    ],
)
def test_a_host_that_is_not_allowed_is_named(url: str, host: str) -> None:
    with pytest.raises(SourceNotAllowed, match=f"from {host}[.]"):
        canonical_url(url, ("media.example.org",))


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://media.example.org/a/talk.mp4", "https://media.example.org/a/talk.mp4"),
        (
            "http://media.example.org:8080/Talk.html?b=2&a=1#t=4",
            "http://media.example.org:8080/Talk.html?b=2&a=1",
        ),
        ("HTTP://MEDIA.example.org/Talk.html", "http://media.example.org/Talk.html"),
    ],
)
def test_another_allowed_host_keeps_its_address_on_any_port_but_not_the_fragment(
    url: str, canonical: str
) -> None:
    assert canonical_url(url, ("media.example.org",)) == canonical


@pytest.mark.parametrize(
    ("page", "start_s", "link"),
    [
        (VIDEO, 12.9, VIDEO + "&t=12s"),
        (VIDEO, 0.0, VIDEO + "&t=0s"),
        ("https://youtu.be/jNQXAC9IVRw", 3700.2, "https://youtu.be/jNQXAC9IVRw?t=3700s"),
        ("https://media.example.org/talk.html?a=1", 12.39, "https://media.example.org/talk.html?a=1#t=12.3"),
        ("https://media.example.org/talk.html#notes", 5.0, "https://media.example.org/talk.html#t=5.0"),
    ],
)
def test_a_link_opens_at_the_second_and_never_after_it(page: str, start_s: float, link: str) -> None:
    assert link_at(page, start_s) == link


LIST = "PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://m.youtube.com/playlist?list={LIST}&si=x", f"playlist?list={LIST}"),
        (f"https://www.youtube.com/watch?v=jNQXAC9IVRw&list={LIST}&index=2", f"playlist?list={LIST}"),
        ("https://www.youtube.com/@jawed", "@jawed/videos"),
        ("https://www.youtube.com/@jawed/featured", "@jawed/videos"),
        ("https://www.youtube.com/@jawed/shorts/", "@jawed/shorts"),
        ("https://youtube.com/channel/UC4QobU6STFB0P71PMvOGN5A", "channel/UC4QobU6STFB0P71PMvOGN5A/videos"),
        ("https://www.youtube.com/c/jawed/streams", "c/jawed/streams"),
    ],
)
def test_every_form_of_a_list_becomes_the_same_one(url: str, expected: str) -> None:
    assert canonical_list(url, YOUTUBE_HOSTS) == f"https://www.youtube.com/{expected}"


@pytest.mark.parametrize(
    "url",
    [
        VIDEO,
        "https://www.youtube.com/",
        "https://www.youtube.com/feed/history",
        "https://www.youtube.com/results?search_query=bees",
        "https://www.youtube.com/playlist?list=RDjNQXAC9IVRw",
        "https://www.youtube.com/playlist?list=WL",
        "https://www.youtube.com/playlist?list=PL/../../x",
        "https://www.youtube.com/@jawed/videos/../../feed",
    ],
)
def test_what_is_neither_playlist_nor_channel_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl, match="neither a playlist nor a channel"):
        canonical_list(url, YOUTUBE_HOSTS)


def test_lists_of_other_hosts_need_to_be_allowed() -> None:
    feed = "http://127.0.0.1:8080/feed.xml?all=1"

    assert canonical_list(f"{feed}#top", ("127.0.0.1",)) == feed
    with pytest.raises(SourceNotAllowed):
        canonical_list(feed, YOUTUBE_HOSTS)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://www.youtube.com/playlist?list={LIST}", True),
        ("https://www.youtube.com/@jawed", True),
        (f"https://www.youtube.com/watch?v=jNQXAC9IVRw&list={LIST}", False),
        (f"https://youtu.be/jNQXAC9IVRw?list={LIST}", False),
        ("https://example.org/@jawed", False),
        ("talk.mp4", False),
    ],
)
def test_a_list_is_told_from_a_video_by_its_address(url: str, expected: bool) -> None:  # a case
    assert is_youtube_list(url) is expected
