"""The tree of errors: what each says, and its way from a child process to its parent."""

from datetime import UTC, datetime
from typing import get_args

from app.error_codes import by_code, every, rebuilt, told
from app.errors import Policy, StageError
from app.source_errors import SourceRateLimited, UpcomingVideo, VideoPrivate

OWN = [kind for kind in every() if "code" in vars(kind) and kind.__module__.startswith("app.")]


def test_every_error_is_found_by_its_code_and_says_what_to_do() -> None:
    assert len(OWN) > 40
    for kind in OWN:
        assert by_code(kind.code).code == kind.code
        assert kind.hint.endswith(".")
    assert len({kind.code for kind in OWN}) >= len(OWN) - 1  # an unexpected error shares its parent's


def test_what_follows_an_error_and_whether_it_may_be_tried_again_agree() -> None:
    for kind in every():
        if issubclass(kind, StageError):
            assert kind.policy in get_args(Policy)
            assert kind.retryable == (kind.policy != "permanent"), kind


def test_an_error_that_was_told_is_rebuilt_with_all_that_it_knows() -> None:
    at = datetime(2026, 12, 24, 18, tzinfo=UTC)
    premiere, slow = UpcomingVideo("Premieres in 3 hours", not_before=at), SourceRateLimited("Slow down.")

    again = rebuilt(told(premiere))

    assert isinstance(again, UpcomingVideo)
    assert (again.detail, again.not_before) == ("Premieres in 3 hours", at)
    assert vars(rebuilt(told(slow))) == {"detail": "Slow down.", "retry_after_s": None}
    assert type(rebuilt({"code": "video_private", "detail": "Private."})) is VideoPrivate
