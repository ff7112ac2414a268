import json
import math

import numpy as np
import pytest

from crewe.errors import PlanError
from crewe.sources import Scan
from crewe.stem4d.ricom_kernel import ricom_kernel
from crewe.workflows.phase_plan import BandPass, DetectorRing, phase_plan, radii_in_px


def test_bands_mean_the_same_in_every_unit():
    scan = Scan((50, 100), step_angstrom=(0.2, 0.2))
    steps = BandPass(low=0.05, high=0.25).in_steps(scan)
    for band in (BandPass(low=5, high=25, unit="px"), BandPass(low=0.25, high=1.25, unit="1/A")):
        assert band.in_steps(scan) == pytest.approx(steps)
    assert BandPass(low=0.1).in_steps(scan).high is None
    with pytest.raises(PlanError, match="needs the scan step"):
        BandPass(low=0.1, unit="1/A").in_steps(Scan((4, 4)))


def test_px_of_a_band_are_cycles_per_width_of_the_scan():
    """What passes 5 px is a wave with 5 periods across the width, however high the scan is."""
    band = BandPass(low=4.5, high=5.5, unit="px")
    for rows in (32, 64, 96):
        limits = band.in_steps(Scan((rows, 64)))
        kernel = ricom_kernel(63, band=limits, scan_shape=(rows, 64))
        passed = {
            periods: abs(np.exp(-2j * np.pi * periods / 64 * np.arange(63)) @ kernel[1].sum(axis=0))
            for periods in (2, 5, 9)
        }
        assert max(passed, key=passed.get) == 5
    help_text = json.dumps(BandPass.model_json_schema())
    assert "width of the scan" in help_text


@pytest.mark.parametrize(
    ("ring", "radii"),
    [
        (DetectorRing(inner=1.1, outer=2), (22, 40)),
        (DetectorRing(inner=3, outer=4, unit="px"), (3, 4)),
        (DetectorRing(inner=10, outer=20, unit="mrad"), (20, 40)),
        (DetectorRing(inner=2.5), (50, math.inf)),
    ],
)
def test_radii_become_pixels(ring, radii):
    assert radii_in_px(ring, 20.0, 0.5) == pytest.approx(radii)


def test_mrad_need_a_calibration():
    with pytest.raises(PlanError, match="--semi-angle"):
        radii_in_px(DetectorRing(inner=1, unit="mrad"), 20.0, None)


def test_settings_leave_out_what_does_not_change_the_result():
    one = phase_plan({"data": "a/gold.mib", "output": "x", "threads": 2})
    other = phase_plan({"data": "b/gold.mib", "output": "y"})
    assert one.settings() == other.settings()
    assert one.settings()["data"] == "gold.mib"
    assert phase_plan({**one.settings()}).settings() == one.settings()


def test_methods_are_made_once_each():
    assert phase_plan({"data": "a", "methods": ["adf", "ricom", "adf"]}).methods == ("adf", "ricom")


def test_every_mistake_is_named():
    with pytest.raises(PlanError) as caught:
        phase_plan({"data": "a", "kernel": -3, "methods": ["hubble"], "scan": [3, "x"]})
    said = str(caught.value)
    assert "kernel = -3" in said
    assert "no method 'hubble'" in said
    assert "scan = 'x'" in said
