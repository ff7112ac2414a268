import math

import numpy as np
import pytest
from live_data import DETECTOR, SHAPE, Detector, lattice

from crewe.errors import CreweError, PlanError
from crewe.physics.electron import wavelength_angstrom
from crewe.sources import Known, Scan
from crewe.stem4d.detectors import Annulus
from crewe.stem4d.methods import Methods, MethodSettings
from crewe.stem4d.reduction import reduce
from crewe.workflows.live_plan import live_change
from crewe.workflows.live_settings import Knobs, annuli, in_use, turned
from crewe.workflows.phase_plan import DetectorRing

SETTINGS = MethodSettings(Scan(SHAPE), (7.5, 7.5), 4.0, kernel_size=7)


def methods(*names, settings=SETTINGS):
    made = Methods(names, settings, DETECTOR)
    reduce(Detector(lattice()), made.reduction)
    return made


def turn(made, knobs, pattern=None, **wanted):
    return turned(knobs, live_change(wanted), made, lambda: pattern)


def test_only_what_the_methods_have_is_offered():
    offered = {name: set(in_use(Knobs(), methods(name))) for name in ("adf", "com", "ricom")}
    disk = {"centre", "radius_px"}
    turning = {"rotation_degrees", "mirrored", "reference"}
    assert offered["adf"] == disk | {"detectors"}
    assert offered["com"] == disk | turning
    assert offered["ricom"] == disk | turning | {"kernel_size", "band", "band_unit"}


def test_what_is_left_out_stays():
    made, knobs = methods("ricom", "adf"), Knobs()
    before = in_use(knobs, made)
    knobs = turn(made, knobs, rotation_degrees=12.0)
    assert in_use(knobs, made) == {**before, "rotation_degrees": 12.0}
    knobs = turn(made, knobs, band=[0.1, 0.3])
    knobs = turn(made, knobs, kernel_size=5)
    now = in_use(knobs, made)
    assert now == {**before, "rotation_degrees": 12.0, "kernel_size": 5, "band": [0.1, 0.3]}
    assert in_use(turn(made, knobs, band=None), made)["band"] is None


def test_a_reference_at_the_centre_follows_the_centre():
    made = methods("com")
    knobs = turn(made, Knobs(), reference="centre")
    assert made.settings.reference == (7.5, 7.5)
    knobs = turn(made, knobs, centre=[7.0, 8.0])
    assert made.settings.reference == (7.0, 8.0)
    turn(made, knobs, reference="mean")
    assert made.settings.reference is None


def test_bands_are_in_inverse_angstrom_where_the_step_is_known():
    scan = Scan(SHAPE, step_angstrom=(0.2, 0.8))
    made = methods("ricom", settings=MethodSettings(scan, (7.5, 7.5), 4.0, kernel_size=7))
    knobs = turn(made, Knobs(), band=[0.25, 0.5])
    assert tuple(made.settings.band) == pytest.approx((0.1, 0.2))
    assert in_use(knobs, made)["band"] == pytest.approx([0.25, 0.5])
    assert in_use(knobs, made)["band_unit"] == "1/Å"


def test_radii_follow_the_disk_unless_they_were_set():
    made = methods("bf", "adf")
    knobs = turn(made, Knobs(), detectors={"adf": [5.0, None]})
    knobs = turn(made, knobs, radius_px=3.0)
    assert in_use(knobs, made)["detectors"] == {"bf": [0.0, 3.0], "adf": [5.0, None]}


def test_the_disk_is_found_again():
    made = methods("adf")
    pattern = lattice().mean(axis=(0, 1))
    turn(made, Knobs(), pattern, centre="auto", radius_px="auto")
    assert made.settings.centre == pytest.approx((7.5, 7.5), abs=0.4)
    assert made.settings.radius_px == pytest.approx(4.0, abs=1.0)
    with pytest.raises(PlanError, match="no pattern yet"):
        turn(made, Knobs(), centre="auto")
    with pytest.raises(CreweError):
        turn(made, Knobs(), np.zeros(DETECTOR), centre="auto")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"detectors": {"haadf": [5.0, 6.0]}}, "no detector 'haadf'"),
        ({"detectors": {"adf": [5.0, 4.0]}}, "below the outer"),
        ({"detectors": {"adf": [50.0, 60.0]}}, "no pixel"),
        ({"kernel_size": 4}, "odd"),
        ({"band": [0.4, 0.1]}, "0 ≤ low < high"),
        ({"centre": [900.0, 900.0]}, "no pixel"),
    ],
)
def test_a_wrong_change_changes_nothing(wrong, words):
    made, knobs = methods("ricom", "adf"), Knobs()
    before, images = in_use(knobs, made), made.images()
    with pytest.raises(CreweError, match=words):
        turn(made, knobs, rotation_degrees=30.0, **wrong)
    assert in_use(knobs, made) == before
    for name, image in made.images().items():
        np.testing.assert_array_equal(image.values, images[name].values)


def test_rings_in_mrad_and_in_radii():
    known = Known((0.02, 0.02), 200.0)
    settings = MethodSettings(Scan(SHAPE), (7.5, 7.5), 4.0, known)
    rings = {
        "ring": DetectorRing(inner=2, outer=3, unit="mrad"),
        "segments": DetectorRing(inner=0.5, outer=None, unit="x"),
    }
    found = annuli(rings, settings, ("segments",))
    mrad = 0.02 * wavelength_angstrom(200.0) * 1e3
    assert found["ring"].inner_px == pytest.approx(2 / mrad)
    assert found["segments"] == Annulus(2.0, math.inf, segments=4)
    with pytest.raises(PlanError, match="mrad need"):
        annuli(rings, SETTINGS, ())
