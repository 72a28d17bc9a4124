"""Stages and their weights."""

from app import errors
from app.stages import NAMES, overall_progress


def test_progress_runs_from_0_to_100_by_weight() -> None:
    assert overall_progress({}) == 0
    assert overall_progress(dict.fromkeys(NAMES, 1.0)) == 100
    assert 10 < overall_progress({"download": 1.0, "extract_audio": 1.0, "transcribe": 0.5}) < 60


def test_every_error_is_found_by_its_code_and_says_what_to_do() -> None:
    kinds = [errors.YtragError]
    for kind in kinds:
        kinds += kind.__subclasses__()

    coded = [kind for kind in kinds if "code" in vars(kind) and kind.__module__ == "app.errors"]

    assert len(coded) > 20
    for kind in coded:
        assert errors.by_code(kind.code).code == kind.code
        assert kind.hint.endswith(".")
    assert len({kind.code for kind in coded}) >= len(coded) - 1  # an unexpected error shares its parent's
