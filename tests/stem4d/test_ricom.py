from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from batches import as_events, as_frames, counts, shuffled
from fields import CENTRE, DETECTOR, batches_of, gaussian_phase, moments_of
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.errors import PlanError
from crewe.sources import Scan
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.icom import integrate
from crewe.stem4d.moments import Moments
from crewe.stem4d.ricom import Ricom
from crewe.stem4d.ricom_kernel import Band, ricom_kernel


def naive(shift, kernel):
    """Eq. 3.4, position by position; nothing beyond the edges."""
    _, rows, columns = shift.shape
    half = kernel.shape[1] // 2
    image = np.zeros((rows, columns))
    for py in range(rows):
        for px in range(columns):
            for y in range(max(0, py - half), min(rows, py + half + 1)):
                for x in range(max(0, px - half), min(columns, px + half + 1)):
                    image[py, px] += kernel[:, half + py - y, half + px - x] @ shift[:, y, x]
    return image


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=(2, *shape))


def com_of(moments, shape, reference=tuple(CENTRE), **scan):
    return CentreOfMass(moments, scan=Scan(shape, **scan), reference=reference)


def ricom_image(com, *args, **kwargs):
    return Ricom(com, *args, **kwargs).images()["ricom"].values


def line_by_line(batches, com, *args, every=1):
    ricom = Ricom(com, *args)
    for number, batch in enumerate(batches):
        com.moments.add(batch)
        if number % every == 0:
            ricom.update()
    return ricom


@pytest.mark.parametrize("size", [3, 5, 9, 21])
@pytest.mark.parametrize("shape", [(11, 7), (6, 13), (1, 12), (9, 1)])
def test_the_whole_map_is_equation_3_4(shape, size):
    shift = noise(shape)
    image = ricom_image(com_of(moments_of(shift), shape), size)
    np.testing.assert_allclose(image, naive(shift, ricom_kernel(size)), atol=1e-12)


@pytest.mark.parametrize("size", [3, 5, 9, 21])
@pytest.mark.parametrize("shape", [(11, 7), (6, 13), (1, 12), (9, 1)])
def test_line_by_line_is_equation_3_4(shape, size, monkeypatch):
    monkeypatch.setattr("crewe.stem4d.ricom_plan.MAP_OVER_LINE", np.inf)
    shift = noise(shape)
    com = com_of(Moments(shape, DETECTOR), shape)
    ricom = Ricom(com, size)
    ricom.update()
    # The state of an empty scan is all that was ever made from whole maps.
    for batch in shuffled(batches_of(shift, size=5)):
        com.moments.add(batch)
        ricom.update()
    image = ricom.images()["ricom"].values
    np.testing.assert_allclose(image, naive(shift, ricom_kernel(size)), atol=1e-12)


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    half=st.integers(1, 9),
    batch=st.integers(1, 12),
    seed=st.integers(0, 1000),
    normalise=st.sampled_from(["pattern", "dose"]),
    known=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_scan_in_any_order_is_equation_3_4(shape, half, batch, seed, normalise, known):
    """Also with empty patterns, missing batches, and a running mean as the reference."""
    rng = np.random.default_rng(seed)
    shift, dose = noise(shape, seed), rng.poisson(1.0, shape).astype(float)
    batches = shuffled(batches_of(shift, dose, size=batch), seed)
    kept = batches[: max(1, len(batches) - 1)]
    com = CentreOfMass(
        Moments(shape, DETECTOR),
        scan=Scan(shape, step_angstrom=(0.2, 0.3)),
        reference=(7.0, 5.0) if known else None,
        normalise=normalise,
    )
    ricom = line_by_line(kept, com, 2 * half + 1)
    expected = naive(np.nan_to_num(com.shift()), ricom_kernel(2 * half + 1, step=(0.2, 0.3)))
    expected[~com.moments.measured] = np.nan
    np.testing.assert_allclose(ricom.images()["ricom"].values, expected, atol=1e-10)


def test_nothing_wraps_from_one_line_into_the_next():
    shift = np.zeros((2, 8, 9))
    shift[:, 4, 8] = 1.0
    image = ricom_image(com_of(moments_of(shift), (8, 9)), 5)
    assert (np.abs(image[:, :6]) < 1e-15).all()
    assert (np.abs(image[[0, 1, 7]]) < 1e-15).all()
    assert image[4, 7] == pytest.approx(-1 / (2 * np.pi))


def test_frames_events_and_shuffled_batches_give_one_image():
    data = counts((9, 12), mean=0.1)
    first = None
    for way in (
        as_frames(data),
        as_events(data),
        shuffled(as_frames(data)),
        shuffled(as_events(data)),
    ):
        com = com_of(Moments((9, 12), (8, 10)), (9, 12), None)
        ricom = Ricom(com, 7)
        for batch in way:
            com.moments.add(com.moments.measure(batch))
            ricom.update()
        image = ricom.images()["ricom"].values
        assert np.isfinite(image).all()
        first = image if first is None else first
        np.testing.assert_allclose(image, first, atol=1e-12)
        np.testing.assert_allclose(ricom_image(com, 7), image, atol=1e-12)


def test_a_kernel_as_large_as_the_scan_is_icom():
    shape, step = (96, 80), (0.2, 0.25)
    phase, shift = gaussian_phase(shape, step, (9.0, 10.0), 1.2)
    com = com_of(moments_of(shift), shape, step_angstrom=step)
    com.sampling_inverse_angstrom = (1.0, 1.0)
    image = ricom_image(com, 191)
    expected = 2 * np.pi * integrate(shift, step, "open")
    difference = (image - image.mean()) - expected
    assert np.sqrt(np.mean(difference**2)) < 0.01 * expected.std()
    # With an end to the potential at infinity its zero is known too.
    np.testing.assert_allclose(image, phase, atol=0.01)


def test_a_phase_is_in_rad_and_atoms_are_bright():
    """The sum of eq. 3.4 lacks the position's own cell, a/4π·∇²φ: a peak is 1 − 2a/4πρ² high."""
    shape, step = (60, 60), (0.3, 0.3)
    phase, shift = gaussian_phase(shape, step, (9.0, 9.0), 0.7, 0.2)
    com = com_of(moments_of(shift), shape, step_angstrom=step)
    com.sampling_inverse_angstrom = (1.0, 1.0)
    image = Ricom(com, 61).images()["ricom"]
    assert image.attrs["units"] == "rad"
    assert image.values[30, 30] == pytest.approx(
        0.2 * (1 - 0.3**2 / (2 * np.pi * 0.7**2)), rel=2e-3
    )
    assert float(np.corrcoef(image.values.ravel(), phase.ravel())[0, 1]) > 0.99


def change_settings(com, ricom):
    com.reference = (7.1, 5.8)
    com.scan = Scan((20, 16), rotation_degrees=33.0, mirrored=True, step_angstrom=(0.2, 0.3))
    com.normalise = "dose"
    com.sampling_inverse_angstrom = (0.01, 0.02)
    ricom.size = 9
    ricom.band = Band(0.05, 0.3)


@pytest.mark.parametrize("halfway", [0, 3, 11, 20])
def test_settings_changed_while_data_arrive_are_as_if_set_at_first(halfway):
    dose = np.random.default_rng(5).integers(1, 9, (20, 16)).astype(float)
    com = com_of(Moments((20, 16), DETECTOR), (20, 16), None)
    ricom = Ricom(com, 61)
    for number, batch in enumerate(batches_of(noise((20, 16)), dose, size=16)):
        if number == halfway:
            change_settings(com, ricom)
        com.moments.add(batch)
        ricom.update()
    if halfway == 20:
        change_settings(com, ricom)
    expected = naive(
        com.shift(),
        ricom_kernel(9, step=(0.2, 0.3), band=Band(0.05, 0.3), scan_shape=(20, 16)),
    )
    image = ricom.images()["ricom"]
    np.testing.assert_allclose(image.values, 2 * np.pi * expected, atol=1e-12)
    assert image.attrs["kernel_size"] == 9


def test_a_repeated_scan_replaces_the_one_before():
    shape = (40, 30)
    com = com_of(Moments(shape, DETECTOR), shape, None)
    ricom = Ricom(com, 11)
    for scan in range(3):
        for batch in batches_of(noise(shape, scan), size=30, scan=scan):
            com.moments.add(batch)
            ricom.update()
    scale = np.abs(ricom_image(com, 11)).max()
    difference = ricom.images()["ricom"].values - ricom_image(com, 11)
    assert np.abs(difference).max() < 1e-9 * scale


def test_a_rotation_of_what_was_integrated_starts_from_the_moments_again():
    """Twice from whole maps, then line by line: nothing shared between states is spoilt."""
    shape = (40, 30)
    com = com_of(Moments(shape, DETECTOR), shape, None)
    ricom = Ricom(com, 9)
    first, *others = batches_of(noise(shape), size=600)
    com.moments.add(first)
    ricom.update()
    com.scan = Scan(shape, rotation_degrees=70.0)
    ricom.update()
    for batch in others + batches_of(noise(shape, 1), size=30, scan=1)[:3]:
        com.moments.add(batch)
        ricom.update()
    image = ricom.images()["ricom"].values
    np.testing.assert_allclose(image, ricom_image(com, 9), atol=1e-12)
    np.testing.assert_allclose(image, naive(com.shift(), ricom_kernel(9)), atol=1e-12)


def test_positions_not_measured_are_nan_and_a_part_of_a_line_is_shown():
    com = com_of(Moments((6, 8), DETECTOR), (6, 8))
    ricom = Ricom(com, 5)
    assert np.isnan(ricom.images()["ricom"].values).all()
    com.moments.add(batches_of(noise((6, 8)), size=11)[0])
    image = ricom.images()["ricom"].values
    assert np.isfinite(image[0]).all()
    np.testing.assert_array_equal(np.isfinite(image[1]), np.arange(8) < 3)
    assert np.isnan(image[2:]).all()


def test_the_image_is_the_callers():
    ricom = Ricom(com_of(moments_of(noise((6, 8))), (6, 8)), 5)
    first = ricom.images()["ricom"]
    kept = first.values.copy()
    first.values[:] = 7.0
    np.testing.assert_array_equal(ricom.images()["ricom"].values, kept)


@pytest.mark.parametrize("size", [4, 1, 303, 10**7 + 1])
def test_kernels_of_no_use_are_refused_and_change_nothing(size):
    ricom = Ricom(com_of(moments_of(noise((6, 8))), (6, 8)), 5)
    with pytest.raises(PlanError, match="kernel"):
        ricom.size = size
    with pytest.raises(PlanError, match="band"):
        ricom.band = Band(0.3, 0.1)
    assert (ricom.size, ricom.band) == (5, None)


def test_settings_may_be_changed_by_another_thread_at_any_time():
    shape, done = (64, 48), Event()
    com = com_of(Moments(shape, DETECTOR), shape, None)
    ricom = Ricom(com, 11)

    def restless():
        number = 0
        while not done.is_set():
            number += 1
            ricom.size = 5 + 2 * (number % 4)
            ricom.band = Band(0.05, 0.3) if number % 3 else None
            com.scan = Scan(shape, rotation_degrees=number % 360)

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(restless)
        for batch in batches_of(noise(shape), size=24):
            com.moments.add(batch)
            ricom.update()
        done.set()
        changing.result()
    image = ricom.images()["ricom"]
    expected = ricom_image(com, ricom.size, ricom.band)
    np.testing.assert_allclose(image.values, expected, atol=1e-12)
