import numpy as np
import pytest
from fields import detector_axes, gaussian_phase, moments_of

from crewe.errors import ImageError, PlanError
from crewe.sources import Scan
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.moments import Moments
from crewe.stem4d.rotation import orientation, scan_orientation

SHAPE = (96, 110)


def atoms(shape=SHAPE, step=(1.0, 1.0), seed=0):
    """Shifts of a disordered lattice of Gaussian atoms."""
    rng = np.random.default_rng(seed)
    places = [
        (y + rng.normal(), x + rng.normal())
        for y in np.arange(4, shape[0] * step[0], 9.3)
        for x in np.arange(4, shape[1] * step[1], 10.4)
    ]
    return sum(gaussian_phase(shape, step, at, 1.7, rng.uniform(0.3, 1.0))[1] for at in places)


FIELD = atoms()


def noisy(field, level, seed=0):
    """Noise of `level` times the shifts' own standard deviation."""
    return field + level * field.std() * np.random.default_rng(seed).normal(size=field.shape)


def apart(one, other):
    return (one - other + 180) % 360 - 180


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", range(-180, 180, 24))
def test_every_rotation_is_found_in_noise(angle, mirrored):
    shift = detector_axes(noisy(FIELD, 0.3, angle + 180), angle, mirrored)
    found = orientation(shift)
    assert found.mirrored == mirrored
    assert abs(apart(found.rotation_degrees, angle)) < 0.5
    assert found.is_known
    assert found.curl_ratio < 0.5


def test_without_noise_no_curl_is_left_and_the_rotation_is_exact():
    found = orientation(detector_axes(FIELD, 37.0, True))
    assert found.curl_ratio < 0.01
    assert found.rotation_degrees == pytest.approx(37.0, abs=1e-3)


def test_steps_may_differ():
    step = (1.0, 1.6)
    field = atoms((90, 70), step)
    found = orientation(detector_axes(field, -71.0, False), step)
    assert found.rotation_degrees == pytest.approx(-71.0, abs=0.2)
    assert not found.mirrored


@pytest.mark.parametrize("level", [0.5, 2.0])
def test_the_stated_error_of_the_rotation_is_true(level):
    found = [orientation(noisy(FIELD, level, seed)) for seed in range(60)]
    spread = np.std([apart(one.rotation_degrees, 0) for one in found])
    stated = np.mean([one.rotation_std_degrees for one in found])
    assert spread / stated == pytest.approx(1.0, abs=0.4)


def test_it_is_what_the_centre_of_mass_needs():
    """Found from moments under any setting; set, the curl is gone and atoms attract the beam."""
    moments = moments_of(detector_axes(30 * FIELD, 128.0, True))
    com = CentreOfMass(moments, scan=Scan(SHAPE, rotation_degrees=11.0, step_angstrom=(0.2, 0.2)))
    com.scan = scan_orientation(com).of(com.scan)
    assert com.scan.step_angstrom == (0.2, 0.2)
    np.testing.assert_allclose(
        com.shift(), 30 * (FIELD - FIELD.mean(axis=(1, 2), keepdims=True)), atol=1e-3
    )


def test_holes_in_the_data_do_not_matter():
    shift = detector_axes(noisy(FIELD, 0.1), 50.0, False)
    shift[:, 20:30, 40:60] = np.nan
    shift[:, 70:] = np.nan
    assert orientation(shift).rotation_degrees == pytest.approx(50.0, abs=0.5)


def test_noise_is_not_taken_for_an_answer():
    for seed in range(20):
        found = orientation(np.random.default_rng(seed).normal(size=(2, 64, 64)))
        assert not found.handedness_is_known
        assert not found.sign_is_known


def test_stripes_tell_no_handedness():
    stripes = np.zeros((2, 64, 64))
    stripes[1] = np.sin(0.5 * np.arange(64))
    stripes += 0.1 * np.random.default_rng(0).normal(size=stripes.shape)
    found = orientation(stripes)
    assert not found.handedness_is_known
    assert found.curl_ratio > 0.9


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_known_handedness_leaves_the_rotation_to_be_found(mirrored):
    # A product of cosines looks the same to both handednesses.
    y, x = np.mgrid[:64, :64] * 0.4
    lattice = np.stack([np.sin(y), np.sin(x)])
    lattice += 0.1 * np.random.default_rng(0).normal(size=lattice.shape)
    shift = detector_axes(lattice, 30.0, mirrored)
    assert not orientation(shift).handedness_is_known
    found = orientation(shift, mirrored=mirrored)
    assert found.mirrored == mirrored
    assert found.handedness_is_known
    assert abs(apart(found.rotation_degrees, 30.0)) % 180 < 1


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [-150.0, 0.0, 37.0, 270.0])
def test_a_known_rotation_leaves_the_handedness_to_be_found(angle, mirrored):
    shift = detector_axes(noisy(FIELD, 0.5), angle, mirrored)
    found = orientation(shift, rotation_degrees=angle)
    assert found.mirrored == mirrored
    assert found.is_known
    assert (found.rotation_degrees, found.rotation_std_degrees) == (angle, 0.0)
    # The other handedness has more curl here than at its own best angle.
    assert found.curl_ratio < 1.01 * orientation(shift).curl_ratio


def test_at_a_known_rotation_stripes_tell_the_handedness_where_they_can():
    stripes = np.zeros((2, 64, 64))
    stripes[1] = np.sin(0.5 * np.arange(64))
    stripes += 0.1 * np.random.default_rng(0).normal(size=stripes.shape)
    # Seen along an axis of the mirror they do not.
    assert not orientation(stripes, rotation_degrees=0.0).handedness_is_known
    turned = orientation(detector_axes(stripes, 30.0, True), rotation_degrees=30.0)
    assert turned.mirrored
    assert turned.handedness_is_known


def test_noise_tells_no_handedness_at_a_known_rotation():
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=(2, 64, 64))
        assert not orientation(noise, rotation_degrees=20.0).handedness_is_known


def test_too_little_is_refused():
    nothing = CentreOfMass(Moments((20, 20), (8, 8)), scan=Scan((20, 20)))
    with pytest.raises(ImageError, match="too few"):
        scan_orientation(nothing)
    with pytest.raises(ImageError, match="alike"):
        orientation(np.ones((2, 40, 40)))
    with pytest.raises(PlanError, match="finite degrees"):
        orientation(FIELD, rotation_degrees=np.nan)
    with pytest.raises(PlanError, match="smoothing"):
        orientation(FIELD, smoothing_px=0.0)
    with pytest.raises(ImageError, match="too few"):
        orientation(np.zeros((2, 1, 3)))
    with pytest.raises(ImageError, match="shape"):
        orientation(np.zeros((40, 40)))
