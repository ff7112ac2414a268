import importlib
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms

from crewe import specimens
from crewe.specimens.named import named_crystal
from crewe.specimens.with_atoms import with_atoms


def test_public_functions_give_atoms():
    atoms = specimens.named_crystal("Pt", (1, 1, 0), (20.0, 20.0, 20.0))
    assert isinstance(atoms, Atoms)
    cloud = named_crystal("Pt", (1, 1, 0), (20.0, 20.0, 20.0))
    np.testing.assert_array_equal(atoms.positions, cloud.positions)
    np.testing.assert_array_equal(atoms.cell.lengths(), cloud.box)


def test_public_functions_take_atoms():
    atoms = specimens.named_crystal("Pt", (0, 0, 1), (20.0, 20.0, 20.0))
    half = specimens.cut(atoms, specimens.straight_edge(np.array([10.0, 10.0, 0.0]), 0.0))
    assert half.positions[:, 0].max() <= 10
    left = specimens.with_vacancies(atoms, 10, rng=np.random.default_rng(0))
    assert len(left) == len(atoms) - 10
    assert specimens.columns_of(left).atoms.sum() == len(left)


def test_facts_travel_with_the_atoms():
    part = specimens.RandomSpecimen(maximum_atoms=2000)
    atoms, facts = specimens.draw_specimen(part, (20.0, 20.0, 20.0), np.random.default_rng(0), 0.2)
    assert len(atoms) == facts["atoms"]


def test_every_public_name_exists_and_is_not_hidden_by_a_file():
    for name in ("random_specimen", "amorphous_graphene", "support", "shapes", "named"):
        importlib.import_module(f"crewe.specimens.{name}")
    for name in specimens.__all__:
        assert not isinstance(getattr(specimens, name), type(sys))
    assert dir(specimens) == specimens.__all__


def test_wrapped_functions_keep_their_words():
    assert specimens.named_crystal.__doc__ == named_crystal.__doc__
    assert with_atoms(named_crystal) is with_atoms(named_crystal)


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="no attribute 'quasicrystal'"):
        _ = specimens.quasicrystal


def test_importing_the_room_loads_nothing_heavy():
    program = "import crewe.specimens, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert not {"ase", "numba", "scipy", "pydantic"} & set(done.stdout.split())
