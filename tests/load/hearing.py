"""What was heard against what was said, and chunks against the whole."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import jiwer

from app.engines import cuts
from app.engines.recogniser import Recogniser
from app.engines.seams import joined
from app.values import Word
from tests.load.word_errors import compare, ignore

Slices = Sequence[tuple[float, float]]
AROUND_S = 3.0
"""A word so near to a seam is one at the seam."""


def in_chunks(engine: Recogniser, audio: Path, longest_s: float, at_once: int) -> tuple[list[Word], Slices]:
    """The words of the sound when it is recognised in chunks, so many at once; and the chunks."""
    slices = cuts.plan(audio, longest_s=longest_s).slices

    def hear(times: tuple[float, float]) -> Sequence[Word]:
        heard = engine.recognise(audio, start_s=times[0], end_s=times[1], language=None, on_progress=ignore)
        return heard.words

    with ThreadPoolExecutor(at_once) as pool:
        words = list(pool.map(hear, slices))
    return joined((*times, said) for times, said in zip(slices, words, strict=True)), slices


def text(words: Sequence[Word]) -> str:
    """The words, parted by spaces."""
    return " ".join(word.text for word in words)


def wer(said: str, words: Sequence[Word]) -> float:
    """Word error rate in per cent."""
    return 100 * float(compare(said, text(words)).wer)


def differences_s(whole: Sequence[Word], chunked: Sequence[Word]) -> list[float]:
    """How far apart the same words begin in both."""
    return [
        abs(whole[piece.ref_start_idx + at].start_s - chunked[piece.hyp_start_idx + at].start_s)
        for piece in _aligned(whole, chunked)
        if piece.type == "equal"
        for at in range(piece.ref_end_idx - piece.ref_start_idx)
    ]


def seams_s(slices: Slices) -> list[float]:
    """Where one chunk goes over into the next."""
    return [(one[1] + other[0]) / 2 for one, other in pairwise(slices)]


def inside(seams: Sequence[float], ends_s: Sequence[float]) -> int:
    """How many seams lie inside a clip, not where one ends and the next begins."""
    return sum(all(abs(seam - end_s) > 0.5 for end_s in ends_s) for seam in seams)


def more_and_fewer(whole: Sequence[Word], chunked: Sequence[Word], seams: Sequence[float]) -> tuple[int, int]:
    """Words at seams that are only in the chunked text, and only in the whole one."""
    more = fewer = 0
    for piece in _aligned(whole, chunked):
        a, a_end, b, b_end = piece.ref_start_idx, piece.ref_end_idx, piece.hyp_start_idx, piece.hyp_end_idx
        spare = (b_end - b) - (a_end - a)
        extra = [word for word in chunked[b:b_end] if _at_seam(word, seams)]
        missing = [word for word in whole[a:a_end] if _at_seam(word, seams)]
        more += min(len(extra), max(0, spare))
        fewer += min(len(missing), max(0, -spare))
    return more, fewer


def _at_seam(word: Word, seams: Sequence[float]) -> bool:
    return any(abs(word.start_s - seam) <= AROUND_S for seam in seams)


def _aligned(whole: Sequence[Word], chunked: Sequence[Word]) -> list[jiwer.AlignmentChunk]:
    """Which words stand for which, with the fewest differences over all: the recordings repeat themselves."""
    one, other = (
        " ".join("".join(filter(str.isalnum, word.text.lower())) or "-" for word in words)
        for words in (whole, chunked)
    )
    (aligned,) = jiwer.process_words(one, other).alignments
    return aligned
