"""Each deliberate breakage still fits the code that it breaks and names a test that is there."""

import re

import pytest

from tests.mutants.table import MUTANTS, Mutant
from tests.up import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_its_file_once_and_names_a_test(mutant: Mutant) -> None:
    file, _, test = mutant.test.partition("::")

    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    assert mutant.old != mutant.new
    assert re.search(rf"^def {test.partition('[')[0]}\(", (ROOT / file).read_text(encoding="utf-8"), re.M)


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
