"""Every error has a code of its own, a sentence and a next step, and docs/errors.md lists them."""

from app.errors import UnexpectedError, YtragError
from deploy.tools.errors import PAGE, every, page

KINDS = [kind for kind in every(YtragError) if kind.__module__ in ("app.errors", "app.refusals")]


def test_the_page_of_errors_is_what_the_errors_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m deploy.tools.errors"


def test_no_two_errors_share_a_code_that_they_name() -> None:
    named = [kind.code for kind in KINDS if "code" in vars(kind) and kind is not UnexpectedError]

    assert len(named) == len(set(named))


def test_every_error_says_what_it_is_and_what_to_do() -> None:
    assert [kind for kind in KINDS if not (kind.__doc__ and kind.hint.endswith("."))] == []
