"""A short run of `make chaos`; the long one is for the hand."""

from pathlib import Path

import pytest

from tests.chaos.run import chaos


@pytest.mark.timeout(600)  # under 60 s on a quiet machine
def test_random_faults_lose_and_double_nothing(tmp_path: Path) -> None:
    report = chaos(tmp_path, seconds=20, seed=7)

    print("\n".join(report.lines()))
    assert report.accepted
    assert report.idle < sum(report.faults.values())
    assert report.broken == []
