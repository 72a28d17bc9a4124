"""Which parts of a text a query's words light up."""

import pytest

from app.engines.index import keywords
from app.services.highlights import spans


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("landing of a booster", "The boosters landed.", ["boosters", "landed"]),
        ("What is the winner's name?", "The WINNER was named Harrison", ["WINNER", "named"]),
        ("don't", "Don’t panic, he said; don't.", ["Don’t", "don't"]),
        ("<b>", "a <b>bold</b> claim", ["b", "b"]),
        ("東京大学", "私は東京大学で学ぶ", ["東京大学"]),
        ("straße", "Die Straße ist lang", ["Straße"]),
        ("cat", "concatenate", []),
        ("", "anything", []),
    ],
)
def test_words_are_lit_up_whole_in_whatever_inflection(query: str, text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in spans(text, keywords(query))] == expected
