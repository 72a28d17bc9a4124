"""How well a search finds: 40 questions asked of 200 passages, written by hand before they were measured."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import config
from app.models.base import connect, database
from app.models.videos import Segment, Video, VideoAccess
from app.services.search import MODES, search
from tests.conftest import FIXTURES
from tests.integration.library import ingest


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, int]]]:
    """By mode and question, the rank of the passage that answers; 0 if it is not among the first ten."""
    folder: Path = tmp_path_factory.mktemp("library")
    connect(config.use(config.Config(data_dir=folder, embedding_model="packaged")).database())
    database.create_tables([Video, VideoAccess, Segment])
    for number, talk in enumerate((FIXTURES / "search" / "library.txt").read_text().split("\n\n")):
        title, *passages = talk.strip().splitlines()
        cut = (tuple(re.split(r"(?<=[.!?]) ", passage)) for passage in passages)
        ingest(f"talk{number}", title.removeprefix("# "), *cut)
    asked = [line.split("\t") for line in (FIXTURES / "search" / "questions.tsv").read_text().splitlines()]
    yield {mode: {question: rank(question, answer, mode) for question, answer in asked} for mode in MODES}
    database.close()


def rank(question: str, answer: str, mode: str) -> int:
    texts = [hit.passage.text for hit in search(None, question, mode=mode).hits]
    return next((place for place, text in enumerate(texts, start=1) if answer in text), 0)


def found(ranks: dict[str, int], within: int) -> float:
    """The share of questions that are answered within so many hits."""
    return sum(0 < place <= within for place in ranks.values()) / len(ranks)


def missed(ranks: dict[str, int]) -> list[str]:
    return [question for question, place in ranks.items() if not place]


def test_meaning_and_words_together_find_more_than_words_alone(ranks: dict[str, dict[str, int]]) -> None:
    for within in (1, 5, 10):
        at = {mode: found(ranks[mode], within) for mode in MODES}
        assert at["hybrid"] >= at["keyword"], (within, at)


def test_most_questions_are_answered_on_the_first_page(ranks: dict[str, dict[str, int]]) -> None:
    assert found(ranks["semantic"], 10) >= 0.95, missed(ranks["semantic"])
    assert found(ranks["hybrid"], 10) >= 0.85, missed(ranks["hybrid"])
