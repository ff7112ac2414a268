import math

import numpy as np
import pytest

from crewe.chemistry.line_choice import choose_edges, choose_lines, leak
from crewe.chemistry.lines import x_ray_line, x_ray_resolution_ev
from crewe.errors import SpecimenError


def names(chosen):
    return {symbol: line.name for symbol, line in chosen.lines.items()}


def test_usual_materials_get_the_lines_that_microscopists_take():
    assert names(choose_lines(["Sr", "Ti", "O"], 0, 20e3)) == {"Sr": "La", "Ti": "Ka", "O": "Ka"}
    assert names(choose_lines(["Fe", "Pt"], 0, 20e3)) == {"Fe": "Ka", "Pt": "La"}
    assert names(choose_lines(["Pt"], 0, 9e3)) == {"Pt": "Ma"}
    assert names(choose_lines(["Fe"], 0, 5e3)) == {"Fe": "La"}


def test_an_overlapped_line_is_left_for_a_clean_one():
    assert names(choose_lines(["Si", "Sr"], 0, 20e3))["Sr"] == "Ka"
    assert names(choose_lines(["Sr"], 0, 20e3))["Sr"] == "La"
    assert names(choose_lines(["S", "Pb"], 0, 20e3))["Pb"] == "La"


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        (["Fe", "Co"], "Fe Kb .*overlaps Co Ka"),
        (["Mn", "Cr"], "Cr Kb .*overlaps Mn Ka"),
        (["S", "Pb"], "Pb Ma .*overlaps S Ka"),
        (["Ti", "Ba", "Cl"], "overlaps"),
    ],
)
def test_the_known_overlaps_are_told(elements, words):
    import re

    assert any(re.search(words, remark) for remark in choose_lines(elements, 0, 20e3).remarks)


def test_nothing_is_said_where_nothing_overlaps():
    assert choose_lines(["Fe", "Pt", "Al"], 0, 20e3).remarks == ()


def test_leak_is_the_share_of_the_foreign_gaussian_in_the_window():
    line, other = x_ray_line("Co_Ka"), x_ray_line("Fe_Kb")
    half, width = (x_ray_resolution_ev(item.energy_ev) for item in (line, other))
    energy = np.random.default_rng(0).normal(
        other.energy_ev, width / math.sqrt(8 * math.log(2)), 200_000
    )
    counted = np.mean(np.abs(energy - line.energy_ev) <= half)
    assert leak(line, other) == pytest.approx(other.weight * counted, rel=0.02)
    assert leak(line, line) == pytest.approx(0.981, abs=0.002)


def test_named_lines_are_taken_and_elements_come_once():
    chosen = choose_lines(["Pt", "pt", "Fe"], 0, 20e3, lines={"Pt": "Ma", "fe": "Fe_La"})
    assert names(chosen) == {"Pt": "Ma", "Fe": "La"}


def test_an_element_without_a_line_in_the_range_is_refused():
    with pytest.raises(SpecimenError, match="no X-ray line of Pt"):
        choose_lines(["Pt"], 0, 1500)
    with pytest.raises(SpecimenError, match="it has none"):
        choose_lines(["H"], 0, 20e3)
    with pytest.raises(SpecimenError, match="no edge of Au"):
        choose_edges(["Au"], 100, 1500)


def test_the_lowest_edge_that_leaves_room_for_the_background_is_chosen():
    assert choose_edges(["Sr"], 100, 2400).edges["Sr"].name == "M5"
    assert choose_edges(["Sr"], 1000, 2400).edges["Sr"].name == "L3"
    assert choose_edges(["O", "Fe"], 480, 826).edges["O"].onset_ev == 532
    with pytest.raises(SpecimenError):
        choose_edges(["O"], 520, 826)


def test_neighbouring_edges_are_told():
    assert "Mn L3" not in " ".join(choose_edges(["O", "Mn"], 400, 900).remarks)
    assert "Ba M5" in choose_edges(["Co", "Ba"], 400, 1000).remarks[0]
