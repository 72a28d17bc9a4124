"""What a context promises: the best passages, each with its source, within its limit."""

import pytest

from app.services import contexts
from app.services.contexts import gather, tokens_in
from app.services.search import Filters
from tests.integration.library import ingest
from tests.integration.test_search import BREAD, CATS, ROCKETS, library

__all__ = ["library"]


def test_a_context_holds_the_best_passages_with_number_title_time_and_link(library: None) -> None:
    found = gather(None, "how long must bread bake?", max_tokens=1000)

    first = found.passages[0]
    assert (first.number, first.text) == (1, " ".join(BREAD))
    assert found.text.startswith(contexts.HEAD)
    assert (
        "[1] “Baking at home”, Kitchen, 0:00–0:30, https://www.youtube.com/watch?v=bread______&t=0s\n"
        + " ".join(BREAD)
    ) in found.text
    assert {" ".join(ROCKETS), " ".join(CATS)} == {passage.text for passage in found.passages[1:]}


@pytest.mark.parametrize("most", [120, 140, 160, 200])
def test_a_context_keeps_to_its_limit_and_leaves_out_the_last_first(library: None, most: int) -> None:
    found = gather(None, "how long must bread bake?", max_tokens=most)

    assert found.tokens == tokens_in(found.text) <= most
    assert found.passages[0].video.id == "bread"
    assert len(found.passages) < 3 or most > 160


def test_passages_that_follow_one_another_are_one_source(library: None) -> None:
    ingest("talk", "A talk", *[(f"Rocket number {number} was launched.",) for number in range(3)])

    found = gather(None, "rocket launch", filters=Filters(video_id="talk"), max_tokens=1000)

    (only,) = found.passages
    assert only.text.count("Rocket number") == 3
    assert (only.start_s, only.end_s) == (0.0, 70.0)


def test_a_stranger_gets_an_empty_context(library: None) -> None:
    assert gather("stranger", "bread", max_tokens=1000) == contexts.Context("", 0, ())


def test_an_estimate_is_not_below_what_tokenizers_need() -> None:
    assert tokens_in("What is the capital of France?") >= 7
    assert tokens_in("東京大学") >= 4
