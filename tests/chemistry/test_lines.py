import pytest
from ase.data import chemical_symbols

from crewe.chemistry.checks import element_symbol
from crewe.chemistry.lines import (
    edge,
    edges,
    x_ray_line,
    x_ray_lines,
    x_ray_resolution_ev,
)
from crewe.errors import PlanError, SpecimenError

# X-Ray Data Booklet (LBNL 2009), Table 1-2, in eV.
LINES = {
    "Cu_Ka": 8047.8, "Cu_Kb": 8905.3, "Cu_La": 929.7, "Fe_Ka": 6403.8, "Fe_Kb": 7058.0,
    "Ti_Ka": 4510.8, "Mn_Ka": 5898.8, "Co_Ka": 6930.3, "Ni_Ka": 7478.2, "Sr_La": 1806.6,
    "Sr_Ka": 14165.0, "Pt_La": 9442.3, "Pt_Ma": 2050.5, "Au_La": 9713.3, "Au_Ma": 2122.9,
    "O_Ka": 524.9, "C_Ka": 277.0, "N_Ka": 392.4, "F_Ka": 676.8, "Al_Ka": 1486.7, "Si_Ka": 1740.0,
    "S_Ka": 2307.8, "Ga_Ka": 9251.7, "Ag_La": 2984.3, "Mo_La": 2293.2, "W_La": 8397.6,
    "La_La": 4651.0, "Ce_La": 4840.2, "Pb_La": 10551.5, "U_La": 13614.7, "U_Ma": 3170.8,
    "Ba_Lb1": 4827.5, "Mg_Ka": 1253.6, "Ca_Ka": 3691.7,
}  # fmt: skip
EDGES = {
    "O_K": 532, "C_K": 284, "N_K": 401, "B_K": 188, "Ti_L3": 456, "Mn_L3": 640, "Fe_L3": 708,
    "Co_L3": 779, "Ni_L3": 855, "Cu_L3": 931, "La_M5": 832, "Ba_M5": 781, "Ce_M5": 883,
    "Si_L3": 99.2, "Sr_L3": 1940, "Al_K": 1560,
}  # fmt: skip


@pytest.mark.parametrize(("name", "energy_ev"), LINES.items())
def test_lines_agree_with_the_x_ray_data_booklet(name, energy_ev):
    assert x_ray_line(name).energy_ev == pytest.approx(energy_ev, abs=2, rel=5e-4)


@pytest.mark.parametrize(("name", "onset_ev"), EDGES.items())
def test_edges_agree_with_the_atlas(name, onset_ev):
    assert edge(name).onset_ev == pytest.approx(onset_ev, abs=0.5)


def test_k_lines_follow_moseleys_law():
    # sqrt(E) = sqrt(3/4 Rydberg) (Z − 1), within a few per cent from B to As.
    for atomic_number in range(5, 34):
        law = 10.2043 * (atomic_number - 1) ** 2
        line = x_ray_lines(chemical_symbols[atomic_number])[0]
        assert line.energy_ev == pytest.approx(law, rel=0.13 if law < 1e3 else 0.03)


def test_every_line_rises_with_the_atomic_number():
    rising: dict[str, float] = {}
    for symbol in chemical_symbols[1:99]:
        for line in x_ray_lines(symbol):
            assert line.energy_ev > rising.get(line.name, 0)
            rising[line.name] = line.energy_ev
        for item in edges(symbol):
            assert item.onset_ev > rising.get(f"{item.name} edge", 0)
            rising[f"{item.name} edge"] = item.onset_ev
    assert len(rising) == 10


def test_an_edge_lies_above_the_line_that_fills_its_hole():
    # Ka < K edge and La < L3 edge (within the chemical shift), Kb < K edge.
    for symbol in ("O", "Na", "Mg", "Al", "Si", "P", "Ti", "Fe", "Cu", "Ga", "Sr"):
        lines = {line.name[0]: line.energy_ev for line in x_ray_lines(symbol)[::-1]}
        for item in edges(symbol):
            if item.name[0] in lines:
                assert lines[item.name[0]] < item.onset_ev + 15


def test_resolution_is_the_detectors_at_manganese_and_grows_with_energy():
    assert x_ray_resolution_ev(5898.7, 130) == pytest.approx(130)
    assert x_ray_resolution_ev(277, 130) == pytest.approx(53, abs=2)
    assert x_ray_resolution_ev(14165, 130) > x_ray_resolution_ev(8048, 130) > 130
    assert x_ray_resolution_ev(10, 120) == 30


def test_names_are_read_as_people_write_them():
    assert element_symbol(" fe ") == "Fe"
    assert x_ray_line("pt La") == x_ray_line("Pt_La")


@pytest.mark.parametrize("wrong", ["Xx", "", "Iron", "Fm"])
def test_what_is_no_element_is_refused(wrong):
    with pytest.raises(PlanError, match="no element"):
        x_ray_lines(wrong)


@pytest.mark.parametrize("wrong", ["Fe_Ma", "H_Ka", "Fe"])
def test_what_is_no_line_is_refused(wrong):
    with pytest.raises(SpecimenError):
        x_ray_line(wrong)
    with pytest.raises(SpecimenError):
        edge(wrong)
