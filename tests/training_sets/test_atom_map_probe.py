import numpy as np
import pytest

from crewe.physics.cross_sections import annular_cross_section
from crewe.recipes import child_generator
from crewe.training_sets.atom_map_probe import draw_beam
from crewe.training_sets.atom_map_recipe import Instrument


def test_a_beam_lies_within_the_ranges_of_the_recipe():
    part = Instrument(semi_angle_mrad=[21, 22], c3_mm=0, coma_angstrom=0, exponent=1.7)
    beams = [draw_beam(part, child_generator(seed)) for seed in range(30)]
    assert {beam.optics.beam_energy_kev for beam in beams} == {80, 100, 200, 300}
    assert all(21 <= beam.optics.semi_angle_mrad <= 22 for beam in beams)
    assert all(beam.optics.c3_mm == beam.optics.c21_angstrom == 0 for beam in beams)
    assert np.ptp([beam.optics.phi12_deg for beam in beams]) > 90


def test_its_cross_section_is_that_of_its_detector():
    part = Instrument(beam_energy_kev=200, inner_angle_mrad=60, outer_angle_mrad=200)
    beam = draw_beam(part, child_generator(0))
    assert beam.cross_section(78) == pytest.approx(annular_cross_section(78, 200, 60, 200))
    assert beam.facts["inner_angle_mrad"] == 60
