from dataclasses import replace

import numpy as np
import pytest
from emulator_data import pairs

from crewe.errors import PlanError
from crewe.simulation.emulator.pairs import read_pairs, write_pairs
from crewe.workflows.emulator_fit_check import check_pairs
from crewe.workflows.emulator_plan import emulator_fit_plan


def checked(path, given, *elements):
    write_pairs(path, given, {}, overwrite=True)
    plan = emulator_fit_plan({"pairs": path, "elements": elements})
    check_pairs(plan, read_pairs(path))


def test_elements_must_be_those_of_the_atoms(tmp_path):
    path = tmp_path / "pairs.npz"
    checked(path, pairs(2), "Pt")
    for elements in (("Au",), ("Pt", "Au")):
        with pytest.raises(PlanError, match="holds atoms of Pt: leave --element out"):
            checked(path, pairs(2), *elements)


def test_elements_of_pairs_without_atoms_may_be_added(tmp_path):
    path = tmp_path / "pairs.npz"
    some = [pairs(1)[0], replace(pairs(1, atoms=False)[0], name="01")]
    checked(path, some, "Pt", "Mo")
    checked(path, pairs(2, atoms=False), "Mo")
    some[0] = replace(some[0], numbers=np.full(60, 79))
    with pytest.raises(PlanError, match="holds atoms of Au: name those, too"):
        checked(path, some, "Pt", "Mo")
