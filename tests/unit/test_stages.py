"""Stages and their weights."""

from app.stages import NAMES, overall_progress


def test_progress_runs_from_0_to_100_by_weight() -> None:
    assert overall_progress({}) == 0
    assert overall_progress(dict.fromkeys(NAMES, 1.0)) == 100
    assert 10 < overall_progress({"download": 1.0, "extract_audio": 1.0, "transcribe": 0.5}) < 60
