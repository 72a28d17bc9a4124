"""Sentences and passages: where they are cut, and that not a word is lost."""

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest

from app.engines.segmenter import segment_words
from app.values import Passage, Word

CHARACTERS = "今日好天气我们去公园"


def spoken(text: str, *, start_s: float = 0.0, word_s: float = 0.3) -> list[Word]:
    """The words of a text spoken without a pause."""
    return [
        Word(word, start_s + place * word_s, start_s + (place + 1) * word_s, 0.9)
        for place, word in enumerate(text.split())
    ]


def random_words(seed: int) -> list[Word]:
    """Some hundreds of words with marks, pauses and slow words where chance puts them."""
    chance, now_s, words = random.Random(seed), 0.0, []
    marked = chance.choice([0.0, 0.02, 0.1, 0.5])
    for number in range(chance.choice([1, 2, 49, 50, 51, 400])):
        mark = chance.choice([".", "?", "!", ",", "...", ".”"]) if chance.random() < marked else ""
        now_s += chance.choice([0.0, 0.0, 0.0, 0.2, 1.9, 2.1]) * (chance.random() < 0.3)
        length_s = chance.choice([0.0, 0.1, 0.4, 1.0, 5.0 if chance.random() < 0.1 else 0.3])
        words.append(Word(f"w{number}{mark}", now_s, now_s + length_s, chance.random()))
        now_s += length_s
    return words


def sentences(passages: Iterable[Passage]) -> list[str]:
    """The texts of all sentences."""
    return [sentence.text for passage in passages for sentence in passage.sentences]


def test_no_words_give_no_passages() -> None:
    assert segment_words([]) == []


@pytest.mark.parametrize("seed", range(60))
def test_every_word_comes_once_and_in_its_order(seed: int) -> None:
    words = random_words(seed)

    passages = segment_words(words)

    assert " ".join(passage.text for passage in passages).split() == [word.text for word in words]


@pytest.mark.parametrize("seed", range(60))
def test_a_sentence_begins_and_ends_exactly_with_its_first_and_last_word(seed: int) -> None:
    words = random_words(seed)

    passages = segment_words(words)

    said = {word.text: word for word in words}
    for sentence in (sentence for passage in passages for sentence in passage.sentences):
        parts = sentence.text.split()
        assert (sentence.start_s, sentence.end_s) == (said[parts[0]].start_s, said[parts[-1]].end_s)


@pytest.mark.parametrize("seed", range(60))
def test_no_passage_has_more_than_70_words_or_45_seconds(seed: int) -> None:
    words = random_words(seed)

    passages = segment_words(words)

    assert all(len(passage.text.split()) <= 70 for passage in passages)
    assert all(passage.end_s - passage.start_s <= 45 for passage in passages)


def test_a_single_word_longer_than_the_limits_stands_alone() -> None:
    words = [Word("Before.", 0, 1, 0.9), Word("Oooooh.", 1, 61, 0.9), Word("After.", 61, 62, 0.9)]

    passages = segment_words(words)

    assert [passage.text for passage in passages] == ["Before.", "Oooooh.", "After."]


def test_passages_of_ordinary_speech_have_30_to_70_words_and_end_with_a_sentence() -> None:
    words = spoken("The mill stood by the river for a hundred years. Nobody knew who had built it. " * 40)

    passages = segment_words(words)

    assert all(30 <= len(passage.text.split()) <= 70 for passage in passages)
    assert all(passage.text.endswith(".") for passage in passages)


def test_a_short_rest_joins_the_last_passage() -> None:
    words = spoken("one two three four five six seven eight nine ten. " * 5 + "That was all.")

    passages = segment_words(words)

    assert len(passages) == 1


@pytest.mark.parametrize(
    "said",
    [
        "Is it late? | Yes! | Go home. | He said “Stop.” | Then he left… | We waited.",
        "Ask Dr. Miller or Mrs. Jones about it. | They know.",
        "J. R. R. Tolkien wrote it. | So did I. | Did you?",
        "Use a comma, e.g. in lists, i.e. here. | The U.S. army did.",
        "It costs 3. 5 million, see no. 7 below. | No. | It was in 1984. | Then it ended.",
        "1. Wash your hands. | 2. Eat.",
        "你好。 | 你在吗？ | 在！",
    ],
)
def test_sentences_end_at_their_marks_and_not_at_abbreviations_or_numbers(said: str) -> None:
    words = spoken(said.replace("|", " "))

    passages = segment_words(words)

    assert sentences(passages) == said.split(" | ")


def test_a_pause_of_more_than_two_seconds_ends_a_sentence_without_a_mark() -> None:
    words = spoken("so that was it") + spoken("and now for something else", start_s=3.3)

    passages = segment_words(words)

    assert sentences(passages) == ["so that was it", "and now for something else"]


def test_a_long_sentence_without_marks_is_cut_at_its_longest_pause() -> None:
    words = spoken("before " * 27) + spoken("after " * 33, start_s=27 * 0.3 + 0.7)

    passages = segment_words(words)

    assert sentences(passages) == [("before " * 27).strip(), ("after " * 33).strip()]


def test_a_comma_is_preferred_to_a_slightly_longer_pause() -> None:
    words = spoken("one " * 20 + "two, " + "three " * 10)
    words += spoken("four " * 30, start_s=words[-1].end_s + 0.3)

    passages = segment_words(words)

    assert sentences(passages)[0].endswith("two,")


def test_slow_speech_without_marks_is_cut_before_thirty_seconds() -> None:
    words = spoken("slowly " * 40, word_s=1.0)

    passages = segment_words(words)

    assert all(
        sentence.end_s - sentence.start_s <= 30 for passage in passages for sentence in passage.sentences
    )


def test_chinese_and_thai_are_written_without_spaces_and_latin_words_keep_theirs() -> None:
    words = [
        *spoken("今 天 用 Open AI 学 习 。"),
        *spoken("ไป เที่ยว", start_s=60),
        *spoken("한국 사람", start_s=90),
    ]

    passages = segment_words(words)

    assert sentences(passages) == ["今天用Open AI学习。", "ไปเที่ยว", "한국 사람"]


def test_a_long_text_without_spaces_is_cut_too() -> None:
    words = spoken(" ".join(CHARACTERS * 30))

    passages = segment_words(words)

    assert "".join(sentences(passages)) == CHARACTERS * 30
    assert all(earlier.end_s <= later.start_s for earlier, later in pairwise(passages))
    assert len(passages) > 3
