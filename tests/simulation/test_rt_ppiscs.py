import builtins

import numpy as np
import pytest

from crewe.errors import CreweError, PlanError
from crewe.physics.cross_sections import annular_cross_section
from crewe.simulation.rt_ppiscs import ELEMENTS, RANGES, fcc_library, require_rt_ppiscs

MICROSCOPE = {
    "beam_energy_kev": 300.0,
    "semi_angle_mrad": 20.0,
    "inner_mrad": 60.0,
    "outer_mrad": 200.0,
    "vibration_angstrom": 0.0764,
}


@pytest.fixture(autouse=True)
def package():
    pytest.importorskip("rt_ppiscs")


def test_a_library_is_what_counting_takes():
    library = fcc_library("Pt", "100", **MICROSCOPE, atoms=40)
    assert library.dims == ("atoms",)
    assert list(library["atoms"].values) == list(range(1, 41))
    assert library.name == "scs"
    assert library.attrs["units"] == "Å²"
    assert (library.values > 0).all()
    assert (np.diff(library.values) > 0).all()


@pytest.mark.parametrize("element", ["Al", "Cu", "Ag", "Pt", "Au"])
@pytest.mark.parametrize("axis", ["100", "110"])
def test_one_atom_scatters_like_an_isolated_one(element, axis):
    from ase.data import atomic_numbers

    one = float(fcc_library(element, axis, **MICROSCOPE)[0])
    alone = annular_cross_section(atomic_numbers[element], 300.0, 60.0, 200.0)
    assert one == pytest.approx(alone, rel=0.25)


def test_rings_that_share_an_edge_add_up():
    lower = fcc_library("Au", "110", **MICROSCOPE | {"inner_mrad": 60.0, "outer_mrad": 100.0})
    upper = fcc_library("Au", "110", **MICROSCOPE | {"inner_mrad": 100.0, "outer_mrad": 200.0})
    whole = fcc_library("Au", "110", **MICROSCOPE)
    assert np.allclose((lower + upper) / whole, 1.0, atol=0.03)


def test_the_defocus_is_ours():
    """Multislice of Pt [100], 80 Å: from 10 to 13 atoms underfocus is brighter by 4 … 2 %."""
    under = fcc_library("Pt", "100", **MICROSCOPE, defocus_angstrom=80.0)
    over = fcc_library("Pt", "100", **MICROSCOPE, defocus_angstrom=-80.0)
    assert (under[9:13] > over[9:13]).all()
    assert under[1] < over[1]


def test_the_vibration_is_along_one_axis():
    """Our multislice with 0.0764 Å along each axis: cross-sections over that of one atom."""
    simulated = np.array([0.0416, 0.0588, 0.0792, 0.1005]) / 0.0100
    one_axis = fcc_library("Pt", "100", **MICROSCOPE)
    three = fcc_library("Pt", "100", **MICROSCOPE | {"vibration_angstrom": 0.0764 * np.sqrt(3)})
    off = [
        np.abs(one.values[2:6] / one.values[0] / simulated - 1).max() for one in (one_axis, three)
    ]
    assert off[0] < 0.15
    assert off[1] > 0.2


def test_a_library_ends_where_it_stops_to_rise():
    dim = MICROSCOPE | {"beam_energy_kev": 80.0, "inner_mrad": 21.0, "outer_mrad": 90.0}
    library = fcc_library("Pb", "110", **dim)
    assert len(library) < 60
    assert (np.diff(library.values) > 0).all()


@pytest.mark.parametrize("name", sorted(RANGES))
def test_settings_beyond_the_training_set_are_refused(name):
    for value in (RANGES[name][0] - 1, RANGES[name][1] + 1):
        with pytest.raises(PlanError, match=name):
            fcc_library("Pt", "100", **MICROSCOPE | {name: value})


def test_other_crystals_are_refused():
    assert "Fe" not in ELEMENTS
    with pytest.raises(PlanError, match="none of the fcc metals"):
        fcc_library("Fe", "100", **MICROSCOPE)
    with pytest.raises(PlanError, match="111"):
        fcc_library("Pt", "111", **MICROSCOPE)
    with pytest.raises(PlanError, match="holds nothing"):
        fcc_library("Pt", "100", **MICROSCOPE | {"inner_mrad": 150.0, "outer_mrad": 100.0})
    with pytest.raises(PlanError, match="library of 1 atoms"):
        fcc_library("Pt", "100", **MICROSCOPE, atoms=1)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("rt_ppiscs"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CreweError, match=r"crewe\[rt-ppiscs\]"):
        require_rt_ppiscs()
