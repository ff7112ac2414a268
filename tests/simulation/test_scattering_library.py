import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from crewe.errors import SpecimenError
from crewe.physics.cross_sections import annular_cross_section
from crewe.physics.optics import Optics
from crewe.simulation.linear import linear_image
from crewe.simulation.multislice import AnnularDetector, MultisliceSettings
from crewe.simulation.scattering_library import (
    Column,
    column_integrals,
    columns_of,
    exit_slices,
    simulated_library,
)

LENS = Optics(beam_energy_kev=200.0, semi_angle_mrad=25.0)
RING = AnnularDetector(60.0, 110.0)
PIXEL = 0.15


def caesium_chloride():
    return Atoms("CsCl", [(0.1, 0.1, 0.5), (2.2, 2.2, 2.6)], cell=[4.2, 4.2, 4.2], pbc=True)


def test_the_columns_of_a_crystal():
    columns = columns_of(bulk("Pt", "fcc", a=3.92, cubic=True))
    assert [one.name for one in columns] == ["Pt"] * 4
    assert [len(one.heights) for one in columns] == [1] * 4
    perovskite = Atoms(
        "SrTiO3",
        scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)],
        cell=[3.9] * 3,
        pbc=True,
    )
    assert sorted(one.name for one in columns_of(perovskite)) == ["O", "O", "Sr", "TiO"]


def test_a_column_across_the_edge_of_the_cell_is_one():
    cell = Atoms("Cu2", [(0.05, 2.0, 0.0), (3.95, 2.1, 2.0)], cell=[4, 4, 4], pbc=True)
    (column,) = columns_of(cell)
    assert column.place == pytest.approx((0.0, 2.05), abs=1e-9)
    assert column.heights == (0.0, 2.0)


def test_atoms_are_counted_slice_by_slice():
    column = Column("Si", (0.0, 0.0), (0.7, 2.1))
    assert exit_slices(column, 1.4, 4, 5) == [0, 1, 4, 5, 8]
    with pytest.raises(SpecimenError, match="smaller slice_thickness"):
        exit_slices(column, 2.8, 2, 5)


def test_integrals_add_up_and_tell_equal_columns_apart_from_others():
    crystal = caesium_chloride()
    image = linear_image(crystal, PIXEL, probe=0.4, exponent=1.7, shape=(30, 30))
    columns = columns_of(crystal)
    places = np.array([one.place for one in columns])
    edges = np.array([4.2, 4.2])
    sums = column_integrals(image.to_numpy()[None], PIXEL, edges, places)[0]
    power = {"Cs": 55**1.7, "Cl": 17**1.7}
    assert sums.sum() == pytest.approx(sum(power.values()), rel=2e-3)
    for one, found in zip(columns, sums, strict=True):
        # the probe's tails carry a little of the brighter column into the other's cell
        assert found == pytest.approx(power[one.name], rel=0.5)
    assert sums[0] > 3 * sums[1]


def test_a_constant_image_is_parted_by_area():
    places = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    sums = column_integrals(np.ones((2, 30, 42)), 0.15, np.array([6.0, 4.0]), places)
    assert np.allclose(sums, 4.0 * np.array([2.0, 1.5, 2.5]), rtol=0.02)


def test_a_thin_crystal_scatters_as_its_atoms_do():
    pytest.importorskip("abtem")
    heard = []
    libraries = simulated_library(
        bulk("Cu", "fcc", a=3.61),
        (1, 0, 0),
        LENS,
        RING,
        np.random.default_rng(1),
        most_atoms=3,
        settings=MultisliceSettings(vibration_angstrom=0.09, window_angstrom=7.0),
        progress=lambda done, whole: heard.append((done, whole)),
    )
    assert list(libraries) == ["Cu"]
    library = libraries["Cu"]
    assert list(library["atoms"].values) == [1, 2, 3]
    assert library.attrs["units"] == "Å²"
    alone = annular_cross_section(29, 200.0, 60.0, 110.0)
    # Born's approximation, and a single set of displacements
    assert float(library[0]) == pytest.approx(alone, rel=0.25)
    assert np.all(np.diff(library.values) > 0.6 * float(library[0]))
    assert np.all(np.diff(library.values) < 2.0 * float(library[0]))
    assert heard[-1][0] == heard[-1][1]


def test_one_atom_is_no_library():
    with pytest.raises(SpecimenError, match="at least 2"):
        simulated_library(bulk("Cu"), (1, 0, 0), LENS, RING, np.random.default_rng(1), most_atoms=1)
