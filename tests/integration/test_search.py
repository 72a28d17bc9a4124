"""What a search promises: whole sentences, of the right videos, in a stable order."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from app import clock, config
from app.engines.index import IndexedSegment, search_index
from app.errors import InvalidInput, SearchUnavailable
from app.models.base import connect, database
from app.models.videos import Segment, Video, VideoAccess
from app.services.search import Filters, SearchPage, search
from tests.integration.library import ingest

ROOT = Path(__file__).parents[2]
ROCKETS = ("Welcome to the show.", "The booster landed upright on a ship at sea.", "See you next week.")
BREAD = ("Today we knead dough.", "The loaf needs forty minutes in a hot oven.", "Let it cool down.")
CATS = ("Cats sleep most of the day.", "A kitten purrs when it feels safe.", "They wash themselves often.")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[None]:
    settings = config.use(config.Config(data_dir=tmp_path, embedding_model="packaged"))
    connect(settings.database())
    database.create_tables([Video, VideoAccess, Segment])
    ingest("rockets", "Space news", ROCKETS, language="en", published_on=date(2024, 1, 31))
    ingest("bread", "Baking at home", BREAD, channel="Kitchen", language="en-GB")
    ingest("cats", "All about pets", CATS, owner="bob", published_on=date(2025, 6, 1))
    yield
    database.close()


def videos(page: SearchPage) -> list[str]:
    return [hit.video.id for hit in page.hits]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_a_hit_is_the_sentence_that_answers_and_a_link_to_its_second(library: None, mode: str) -> None:
    hit = search("alice", "landing of a booster", mode=mode).hits[0]

    assert asdict(hit) == {
        "segment_id": "rockets-r1-000",
        "text": "The booster landed upright on a ship at sea.",
        "start_s": 10.0,
        "end_s": 20.0,
        "score": 1.0,
        "passage": {"text": " ".join(ROCKETS), "start_s": 0.0, "end_s": 30.0},
        "video": {
            "id": "rockets",
            "title": "Space news",
            "channel": None,
            "duration_s": 90.0,
            "language": "en",
            "url": "https://www.youtube.com/watch?v=rockets____",
        },
        "url": "https://www.youtube.com/watch?v=rockets____&t=10s",
        "highlights": ((4, 11), (12, 18)),
        "before": (),
        "after": (),
    }


def test_meaning_finds_what_shares_no_word_with_the_query(library: None) -> None:
    query = "how long must it stay in the stove?"

    assert search("alice", query, mode="keyword").hits == ()
    assert search("alice", query, mode="semantic").hits[0].text == BREAD[1]
    assert search("alice", query).hits[0].text == BREAD[1]


def test_an_owner_finds_only_what_the_owner_may_see(library: None) -> None:
    VideoAccess.create(video="bread", owner="bob", created_at=clock.now())

    assert set(videos(search("alice", "kitten"))) == {"rockets", "bread"}
    assert set(videos(search("bob", "kitten"))) == {"cats", "bread"}
    assert search("stranger", "kitten") == SearchPage((), None)
    assert set(videos(search(None, "kitten"))) == {"rockets", "bread", "cats"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(video_id="bread"), {"bread"}),
        (Filters(channel="Kitchen"), {"bread"}),
        (Filters(language="en"), {"rockets", "bread"}),
        (Filters(language="en-GB"), {"bread"}),
        (Filters(since=date(2024, 1, 31)), {"rockets", "cats"}),
        (Filters(until=date(2024, 1, 31)), {"rockets"}),
        (Filters(since=date(2024, 2, 1), language="en"), set()),
    ],
)
def test_filters_leave_only_the_videos_they_name(library: None, filters: Filters, expected: set[str]) -> None:
    assert set(videos(search(None, "anything", filters=filters))) == expected


def test_a_video_whose_segments_are_not_the_current_ones_is_not_shown(library: None) -> None:
    Video.update(revision="r2").where(Video.id == "rockets").execute()

    assert "rockets" not in videos(search("alice", "booster"))


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "keyword"])
def test_a_passage_found_by_the_sentence_before_it_leads_to_that_sentence_and_only_once(
    library: None, mode: str
) -> None:
    spoken = "A carpenter built a watch that kept time at sea."
    ingest("clocks", "Clocks", ("Sailors were often lost.", spoken), ("Then railways came.", "Trains met."))

    hits = search("alice", "the carpenter's sea watch", mode=mode, filters=Filters(video_id="clocks")).hits

    assert (hits[0].text, hits[0].start_s) == (spoken, 10.0)
    assert spoken in hits[0].passage.text
    assert [hit.text for hit in hits].count(spoken) == 1


def test_pages_follow_one_another_without_gap_or_repetition(library: None) -> None:
    ingest("talk", "A talk", *[(f"Rocket number {number} was launched.",) for number in range(25)])

    page = search("alice", "rocket launch", limit=10)
    seen = [hit.segment_id for hit in page.hits]
    while page.next_cursor:
        page = search("alice", "rocket launch", limit=10, cursor=page.next_cursor)
        seen += [hit.segment_id for hit in page.hits]

    assert seen == [hit.segment_id for hit in search("alice", "rocket launch", limit=100).hits]
    assert len(seen) == len(set(seen)) == 27


def test_a_hit_comes_with_as_many_neighbours_as_asked_for_where_there_are_any(library: None) -> None:
    ingest("years", "Years", *[(f"In the year {year} nothing happened.",) for year in ("one", "two", "six")])
    query, only = "year two", Filters(video_id="years")

    alone, near, wide = (search(None, query, filters=only, context=n).hits[0] for n in (0, 1, 9))

    assert (alone.before, alone.after) == ((), ())
    assert [p.text for p in (*near.before, *near.after)] == [
        "In the year one nothing happened.",
        "In the year six nothing happened.",
    ]
    assert near.after[0].start_s == 60.0
    assert (wide.before, wide.after) == (near.before, near.after)


def test_the_best_hit_of_each_video_stands_for_it_on_every_page(library: None) -> None:
    ingest("talk", "A talk", *[(f"Rocket number {number} was launched.",) for number in range(5)])
    query = "rocket launch booster"

    best = search(None, query, best_of_video=True, limit=2)
    rest = search(None, query, best_of_video=True, limit=2, cursor=best.next_cursor)

    firsts = list(dict.fromkeys(videos(search(None, query, limit=100))))
    assert videos(best) + videos(rest) == firsts
    assert rest.next_cursor is None
    with pytest.raises(InvalidInput, match="cursor"):
        search(None, query, limit=2, cursor=best.next_cursor)


def test_scores_fall_from_one_towards_zero(library: None) -> None:
    scores = [hit.score for hit in search(None, "booster ship").hits]

    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert scores[-1] > 0


@pytest.mark.parametrize("cursor", ["", "x", "MTA=", "\0", "é", "LTEuYWJj"])
def test_a_cursor_that_we_did_not_make_is_refused(library: None, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        search("alice", "booster", cursor=cursor)


def test_a_cursor_of_another_search_is_refused(library: None) -> None:
    cursor = search("alice", "booster", limit=1).next_cursor

    with pytest.raises(InvalidInput, match="cursor"):
        search("alice", "bread", cursor=cursor)


@pytest.mark.parametrize(
    ("query", "options", "named"),
    [("", {}, "q"), (" \t\n", {}, "q"), ("x", {"mode": "psychic"}, "psychic"), ("x", {"limit": 0}, "limit")],
)
def test_a_wrong_request_is_refused_by_name(
    library: None, query: str, options: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidInput, match=named):
        search("alice", query, **options)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("query", ['"', "a\0b", "🙂", "the", "x" * 10_000, "'; DROP TABLE video; --"])
def test_any_text_can_be_searched_for(library: None, query: str) -> None:
    assert len(search("alice", query).hits) == 2


def test_vectors_of_another_model_are_not_searched_but_words_are(library: None) -> None:
    search_index().clear()
    search_index().ensure(3, "another model")
    vectors = np.eye(1, 3, dtype=np.float32)
    search_index().upsert_video("rockets", "r1", [IndexedSegment("rockets-r1-000", "booster")], vectors)

    with pytest.raises(SearchUnavailable, match="another model"):
        search("alice", "booster")

    assert videos(search("alice", "booster", mode="keyword")) == ["rockets"]


def test_a_search_by_words_loads_no_model(library: None, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from app import config\n"
        "from app.models.base import connect\n"
        "from app.services.search import search\n"
        "connect(config.current().database())\n"
        "print(len(search('alice', 'booster', mode='keyword').hits))\n"
        "print([name for name in ('torch', 'onnxruntime', 'faiss') if name in sys.modules])\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"YTRAG_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert answer.stdout == "1\n[]\n"
