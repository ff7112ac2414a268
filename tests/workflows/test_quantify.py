"""The scale of the intensities: fraction of the beam, and electrons."""

import numpy as np
import pytest

from crewe import io
from crewe.axes import calibrated_image
from crewe.errors import CalibrationError
from crewe.physics.intensity import electrons_per_pixel
from crewe.workflows import plan_from, run

VACUUM, DETECTOR = 100.0, 5100.0
CURRENT_PA, DWELL_US = 10.0, 40.0
HEIGHT, WIDTH, SAMPLING = 0.2, 0.5, 0.2
SCS = 2 * np.pi * HEIGHT * WIDTH**2


@pytest.fixture
def image(tmp_path):
    """Detector readings of sixteen columns, with the shot noise of the beam."""
    y, x = np.mgrid[:64, :64] * SAMPLING
    fraction = np.full((64, 64), 0.05)
    for row in np.arange(2.0, 12.0, 2.8):
        for column in np.arange(2.0, 12.0, 2.8):
            fraction += HEIGHT * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * WIDTH**2))
    electrons = electrons_per_pixel(CURRENT_PA, DWELL_US)
    fraction = np.random.default_rng(8).poisson(fraction * electrons) / electrons
    readings = VACUUM + fraction * (DETECTOR - VACUUM)
    return io.write(tmp_path / "readings.tif", calibrated_image(readings, SAMPLING))


def test_detector_and_dose_give_cross_sections_in_square_angstroms(image):
    scale = {"vacuum": VACUUM, "detector": DETECTOR}
    dose = {"beam_current_pa": CURRENT_PA, "dwell_time_us": DWELL_US}
    result = run(plan_from({"image": image, "intensity": {**scale, **dose}}))
    assert result.summary["units"]["scs"] == "Å²"
    assert result.summary["fit"]["noise"] == "counts"
    columns = result.fit.columns
    assert len(columns) == 16
    pulls = (columns["scs"] - SCS) / columns["scs_std"]
    assert np.abs(pulls).max() < 4
    assert abs(pulls.mean()) < 1.2


def test_without_a_detector_the_unit_of_the_image_stays(image):
    result = run(plan_from({"image": image}))
    assert result.summary["units"]["scs"] == "a.u.·Å²"
    assert result.plan.provenance is not None


def test_a_detector_below_vacuum_is_refused(image):
    plan = plan_from({"image": image, "intensity": {"vacuum": 5.0, "detector": 1.0}})
    with pytest.raises(CalibrationError, match="above"):
        run(plan)
