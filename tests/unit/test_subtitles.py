"""Transcripts as SubRip, WebVTT and text."""

from app.services.subtitles import to_srt, to_txt, to_vtt
from app.values import Sentence

SENTENCES = [Sentence("Hello <b>you</b> & me.", 0.0, 1.5), Sentence("Two hours later.", 7261.0425, 7262.9999)]


def test_subrip_numbers_its_cues_and_parts_milliseconds_by_a_comma() -> None:
    assert to_srt(SENTENCES) == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello <b>you</b> & me.\n\n"
        "2\n02:01:01,042 --> 02:01:03,000\nTwo hours later.\n"
    )


def test_webvtt_escapes_markup() -> None:
    assert to_vtt(SENTENCES) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello &lt;b&gt;you&lt;/b&gt; &amp; me.\n"
        "\n02:01:01.042 --> 02:01:03.000\nTwo hours later.\n"
    )


def test_text_has_a_sentence_a_line() -> None:
    assert to_txt(SENTENCES) == "Hello <b>you</b> & me.\nTwo hours later.\n"


def test_an_empty_transcript_is_an_empty_file_of_its_kind() -> None:
    assert (to_srt([]), to_vtt([]), to_txt([])) == ("", "WEBVTT\n", "")
