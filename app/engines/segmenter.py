"""Words to sentences, and sentences to passages that a search can return."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from app.values import Passage, Sentence, Word

PAUSE_S = 2.0
SENTENCE_WORDS, SENTENCE_S = 50, 30.0
PASSAGE_WORDS, PASSAGE_S = 50, 45.0
FEWEST_WORDS, MOST_WORDS = 30, 70
COMMA_S = 0.5  # a comma is as good a place to cut as so much more silence

_CLOSERS = "\"'”’»)]}」』）"
_ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "।")
_COMMAS = (",", ";", ":", "–", "—", "、", "，", "；", "：", "،")
_ABBREVIATION = re.compile(
    r"[\"'“‘«(\[]*(mrs?|ms|dr|prof|sr|jr|st|mt|vs|gen|col|capt|lt|sgt|rev|hon|gov|sen|approx|fig|vol|ca|cf|bzw"
    r"|[^\W\d_]\.(\w\.)*\w?|(?!i)[^\W\d_])\.",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[\d.,]*\d\.")
_UNSPACED = (  # Thai and Lao, Burmese, Khmer, then Chinese and Japanese
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    r"\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_NO_SPACE = re.compile(f"(?<={_UNSPACED})\n|\n(?={_UNSPACED})")


def segment_words(words: Sequence[Word]) -> list[Passage]:
    """Cut words into passages of about 50 words that end where sentences do; no word is lost or doubled.

    Words of one doubt are passages of their own.
    """
    passages = []
    for doubt, run in groupby(words, key=lambda word: word.doubt):
        pieces = [piece for sentence in _sentences(run) for piece in _short(sentence)]
        passages += [Passage(tuple(map(_sentence, passage)), doubt) for passage in _packed(pieces)]
    return passages


def written_together(left: str, right: str) -> bool:
    """Whether these neighbours go without a space: Chinese, Japanese, Thai, Lao, Khmer and Burmese do."""
    return bool(_NO_SPACE.search(f"{left}\n{right}"))


def _sentences(words: Iterable[Word]) -> Iterator[list[Word]]:
    sentence: list[Word] = []
    for word in words:
        if sentence and _is_end(sentence, word):
            yield sentence
            sentence = []
        sentence.append(word)
    if sentence:
        yield sentence


def _is_end(sentence: list[Word], following: Word) -> bool:
    """Whether a sentence ends before the following word: at a mark that ends one, or at a pause."""
    last = sentence[-1]
    if following.start_s - last.end_s > PAUSE_S:
        return True
    text = last.text.rstrip(_CLOSERS)
    if not text.endswith(_ENDS) or _ABBREVIATION.fullmatch(text):
        return False
    if following.text[:1].isdigit() and (_NUMBER.fullmatch(text) or text.lower() in ("no.", "nr.")):
        return False
    return not (len(sentence) == 1 and _NUMBER.fullmatch(text))  # "1." numbers what follows


def _short(sentence: list[Word]) -> list[list[Word]]:
    """Halve a sentence at its clearest pause or comma until no piece is too long."""
    if len(sentence) < 2 or (len(sentence) <= SENTENCE_WORDS and _length_s(sentence) <= SENTENCE_S):
        return [sentence]
    # The outer quarters are left alone: crumbs make poor passages.
    edge = max(1, len(sentence) // 4)
    places = range(edge, len(sentence) - edge + 1)
    cut = max(places, key=lambda place: (_gap_s(sentence, place), -abs(place - len(sentence) / 2)))
    return _short(sentence[:cut]) + _short(sentence[cut:])


def _gap_s(sentence: list[Word], place: int) -> float:
    before, after = sentence[place - 1], sentence[place]
    return after.start_s - before.end_s + COMMA_S * before.text.rstrip(_CLOSERS).endswith(_COMMAS)


def _packed(sentences: list[list[Word]]) -> list[list[list[Word]]]:
    """Gather sentences until a passage is nearer to its proper length than with the next one."""
    passages: list[list[list[Word]]] = []
    for sentence in sentences:
        if passages and _takes(passages[-1], sentence):
            passages[-1].append(sentence)
        else:
            passages.append([sentence])
    if len(passages) > 1 and _words_in(passages[-1]) < FEWEST_WORDS and _fits(passages[-2], passages[-1]):
        passages[-2:] = [passages[-2] + passages[-1]]
    return passages


def _takes(passage: list[list[Word]], sentence: list[Word]) -> bool:
    now, then = _words_in(passage), _words_in([*passage, sentence])
    nearer = abs(then - PASSAGE_WORDS) <= abs(now - PASSAGE_WORDS)
    return _fits(passage, [sentence]) and (now < FEWEST_WORDS or nearer)


def _fits(passage: list[list[Word]], more: list[list[Word]]) -> bool:
    length_s = more[-1][-1].end_s - passage[0][0].start_s
    return _words_in(passage) + _words_in(more) <= MOST_WORDS and length_s <= PASSAGE_S


def _words_in(passage: list[list[Word]]) -> int:
    return sum(len(sentence) for sentence in passage)


def _length_s(sentence: list[Word]) -> float:
    return sentence[-1].end_s - sentence[0].start_s


def _sentence(words: list[Word]) -> Sentence:
    text = _NO_SPACE.sub("", "\n".join(word.text for word in words)).replace("\n", " ")
    return Sentence(text, words[0].start_s, words[-1].end_s)
