"""How speech is laid into windows of the recogniser, and what it passed over."""

from itertools import pairwise

from app.engines import windows
from app.values import Word


def test_speech_that_fits_is_one_window_with_its_margins() -> None:
    assert windows.around([(1.0, 5.0), (6.0, 20.0)], 30.0) == [(0.8, 20.2)]


def test_windows_hold_all_speech_in_order_and_none_is_too_long() -> None:
    spoken = [(3.0 * number, 3.0 * number + 2.5) for number in range(40)]

    found = windows.around(spoken, 120.0)

    assert all(any(start <= a and b <= end for start, end in found) for a, b in spoken)
    assert all(end - start <= windows.LONGEST_S + 2 * windows.MARGIN_S for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert len(found) == 5


def test_windows_part_at_the_longest_pause() -> None:
    spoken = [(0.0, 9.0), (9.2, 15.0), (17.0, 25.0), (25.2, 40.0)]

    assert windows.around(spoken, 40.0) == [(0.0, 15.2), (16.8, 40.0)]


def test_no_speech_has_no_windows() -> None:
    assert windows.around([], 30.0) == []


def test_speech_without_a_word_is_heard_once_more() -> None:
    said = [Word("one", 0.0, 1.0, 0.9), Word("two", 6.0, 7.0, 0.9)]

    assert windows.unheard([(0.0, 10.0)], said, 10.0) == [(0.9, 6.1), (6.9, 10.0)]
    assert windows.unheard([(0.0, 8.0)], [*said[:1], Word("and", 2.0, 7.0, 0.9)], 8.0) == []


def test_neighbouring_gaps_are_heard_together_unless_a_word_lies_between() -> None:
    spoken = [(0.0, 4.0), (5.0, 9.0)]

    assert windows.unheard(spoken, [], 9.0) == [(0.0, 9.0)]
    assert len(windows.unheard(spoken, [Word("hm", 4.1, 4.9, 0.9)], 9.0)) == 2
