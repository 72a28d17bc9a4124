"""What fusion and the choice of the sentence promise."""

import numpy as np
import pytest

from app.engines.index import keywords, passage_text
from app.services.hits import answer_scores
from app.services.search import fuse

SENTENCES = ("We begin with an apple.", "Then the rockets were landing on ships.", "Goodbye for now.")


def test_what_every_list_ranks_first_scores_one() -> None:
    scores = fuse(["a", "b"], ["a", "c"])

    assert scores["a"] == pytest.approx(1.0)
    assert list(scores) == ["a", "b", "c"]


def test_what_is_first_in_one_of_two_lists_scores_a_half() -> None:
    scores = fuse(["a"], [])

    assert scores == {"a": pytest.approx(0.5)}


def test_the_middle_of_two_lists_beats_the_top_of_one() -> None:
    scores = fuse(["only dense", "both"], ["only words", "both"])

    assert next(iter(scores)) == "both"


def test_equal_ranks_keep_one_order_so_that_pages_do_not_overlap() -> None:
    assert list(fuse(["b"], ["a"])) == list(fuse(["a"], ["b"])) == ["a", "b"]


@pytest.mark.parametrize("query", ["rocket landings", "ROCKETS land", "the ship"])
def test_without_vectors_the_sentence_with_the_words_in_any_inflection_is_chosen(query: str) -> None:
    assert np.argmax(answer_scores(SENTENCES, None, keywords(query))) == 1


def test_the_nearest_sentence_is_chosen_where_words_say_nothing() -> None:
    cosines = np.array([0.1, 0.2, 0.7], np.float32)

    assert np.argmax(answer_scores(SENTENCES, cosines, keywords("farewell"))) == 2


def test_words_decide_between_sentences_that_are_about_equally_near() -> None:
    cosines = np.array([0.52, 0.50, 0.1], np.float32)

    assert np.argmax(answer_scores(SENTENCES, cosines, keywords("rocket ships"))) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the client/server model?", ["client", "server", "model"]),
        ("to be or not to be", ["to", "be", "or", "not"]),
        ("Don’t panic", ["don't", "panic"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ('"*" 🙂 -- \0 \ud800', []),
    ],
)
def test_a_querys_words_are_told_from_signs_and_stop_words(text: str, expected: list[str]) -> None:
    assert keywords(text) == expected


def test_a_passage_is_indexed_behind_its_title_and_the_sentence_before() -> None:
    assert passage_text("Title", "Before.", "A. B.") == "Title\nBefore.\nA. B."
    assert passage_text("Title", "", "A. B.") == "Title\nA. B."
