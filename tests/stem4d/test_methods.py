from dataclasses import replace

import numpy as np
import pytest
from batches import as_events, as_frames, counts, shuffled

from crewe.errors import CalibrationError, PlanError
from crewe.sources import Known, Scan
from crewe.stem4d.detectors import Annulus
from crewe.stem4d.methods import METHODS, Methods, MethodSettings
from crewe.stem4d.ricom_kernel import Band

SCAN = Scan((12, 16), step_angstrom=(0.3, 0.3))
KNOWN = Known(beam_energy_kev=200.0, convergence_semi_angle_mrad=20.0)
SETTINGS = MethodSettings(SCAN, (7.5, 7.5), 4.0, KNOWN, kernel_size=5)
SMALL = {"haadf": Annulus(7, 9)}
DATA = counts(SCAN.shape, (16, 16), 1.0)
EVERYTHING = replace(SETTINGS, detectors=SMALL)


def images(batches, settings=EVERYTHING, names=METHODS, changes=None):
    methods = Methods(names, settings, (16, 16))
    for number, batch in enumerate(batches):
        methods.reduction.add(methods.reduction.measure(batch))
        if changes and number == len(batches) // 2:
            methods.images()
            methods.change(**changes)
    return methods.images()


def test_all_methods_serve_one_pass_and_agree_for_frames_and_events():
    expected = images(as_frames(DATA))
    assert {"total", "bf", "haadf", "segments_3", "com_y", "icom", "ricom", "ssb_phase"} < {
        *expected
    }
    for other in (images(shuffled(as_frames(DATA))), images(shuffled(as_events(DATA)))):
        assert other.keys() == expected.keys()
        for name, image in expected.items():
            np.testing.assert_allclose(other[name], image, rtol=1e-6, atol=1e-9, err_msg=name)
            assert other[name].attrs["units"] == image.attrs["units"]
            np.testing.assert_allclose(other[name].y, 0.3 * np.arange(12))


CHANGES = {
    "kernel": {"kernel_size": 9, "band": Band(0.05, 0.3)},
    "rotation": {"scan": replace(SCAN, rotation_degrees=33.0, mirrored=True)},
    "reference": {"reference": (7.0, 8.0)},
    "calibration": {"known": Known((0.02, 0.03))},
    "dose": {"normalise": "dose"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_on_the_way_is_as_if_it_had_been_so_from_the_start(change):
    names = ("com", "field", "divergence", "icom", "ricom", "bf")
    settings = replace(SETTINGS, **change)
    expected = images(as_frames(DATA), settings, names)
    changed = images(as_frames(DATA), SETTINGS, names, change)
    for name, image in expected.items():
        np.testing.assert_allclose(changed[name], image, rtol=1e-6, atol=1e-12, err_msg=name)
        assert changed[name].attrs["units"] == image.attrs["units"]
    assert not np.isnan(changed["bf"]).any()


def test_other_radii_begin_anew_and_leave_the_rest_alone():
    names = ("bf", "ricom")
    changed = images(as_frames(DATA, 16), SETTINGS, names, {"radius_px": 5.0})
    expected = images(as_frames(DATA, 16), replace(SETTINGS, radius_px=5.0), names)
    assert np.isnan(changed["bf"][:7]).all()
    np.testing.assert_array_equal(changed["bf"][7:], expected["bf"][7:])
    assert np.isfinite(changed["ricom"]).all()


def test_a_change_that_cannot_be_changes_nothing():
    methods = Methods(("bf", "ricom"), SETTINGS, (16, 16))
    for batch in as_frames(DATA):
        methods.reduction.add(methods.reduction.measure(batch))
    before = methods.images()
    for wrong in ({"kernel_size": 4}, {"radius_px": -1.0}, {"normalise": "twice"}):
        with pytest.raises((PlanError, CalibrationError)):
            methods.change(**wrong)
    after = methods.images()
    assert methods.settings == SETTINGS
    np.testing.assert_allclose(after["ricom"], before["ricom"], atol=1e-12)


def test_detectors_of_their_own_names_are_made():
    made = images(as_frames(DATA), replace(SETTINGS, detectors={"ring": Annulus(2, 3)}), ())
    assert list(made) == ["ring"]


def test_what_is_slow_can_be_left_out():
    methods = Methods(("ssb", "total"), SETTINGS, (16, 16))
    assert list(methods.images(slow=False)) == ["total"]


@pytest.mark.parametrize(
    ("names", "settings", "error"),
    [
        (("ricon",), SETTINGS, PlanError),
        ((), SETTINGS, PlanError),
        (("ssb",), replace(SETTINGS, known=Known()), CalibrationError),
        (("ssb",), replace(SETTINGS, scan=Scan((12, 16))), CalibrationError),
    ],
)
def test_what_cannot_be_made_is_refused(names, settings, error):
    with pytest.raises(error):
        Methods(names, settings, (16, 16))
