import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.physics.intensity import electrons_per_pixel
from crewe.workflows import plan_from
from crewe.workflows.dose import electrons_per_area, electrons_per_unit

PIXEL = (0.2, 0.25)
CURRENT = {"vacuum": 0.0, "detector": 1.0, "beam_current_pa": 10.0, "dwell_time_us": 8.0}


@pytest.mark.parametrize(
    ("scale", "electrons"),
    [
        ({"counts": True}, 1.0),
        ({"electrons_per_unit": 250.0}, 250.0),
        (CURRENT, electrons_per_pixel(10.0, 8.0)),
        ({}, None),
    ],
)
def test_electrons_of_a_unit_follow_from_the_scale(scale, electrons):
    plan = plan_from({"image": "a.tif", "intensity": scale})
    assert electrons_per_unit(plan.intensity) == electrons


def test_the_variance_of_a_cross_section_is_its_mean_over_the_dose():
    rng, mean = np.random.default_rng(2), 40.0
    area = PIXEL[0] * PIXEL[1]
    sums = rng.poisson(mean, (4000, 50)).sum(axis=1) * area
    plan = plan_from({"image": "a.tif", "intensity": {"counts": True}})
    dose = electrons_per_area(plan, calibrated_image(np.zeros((4, 4)), PIXEL))
    assert sums.var() == pytest.approx(sums.mean() / dose, rel=0.1)


def test_a_given_dose_counts_and_a_restored_image_has_none():
    image = calibrated_image(np.zeros((4, 4)), PIXEL)
    settings = {"image": "a.tif", "intensity": {"counts": True}}
    given = {"width": "dose", "dose_e_per_angstrom2": 123.0}
    assert electrons_per_area(plan_from({**settings, "count": given}), image) == 123.0
    assert electrons_per_area(plan_from({**settings, "restore": "hrstem"}), image) is None
