import numpy as np
import pytest
from known_polynomial import bent, pairs, smooth_image

from crewe.errors import CalibrationError, ImageError
from crewe.simulation.emulator.fit import fit_emulator, known_pixels
from crewe.simulation.emulator.plan import EmulatorPlan

SMALL = EmulatorPlan(size=3, register=False, ridge=1e-10)


def test_a_target_that_is_a_polynomial_of_the_features_is_found():
    emulator = fit_emulator(pairs(), SMALL)
    unseen = smooth_image(99)
    inner = (slice(1, -1),) * 2
    found, truth = emulator.predict(unseen)[inner], bent(unseen)[inner]
    assert np.abs(found - truth).max() < 2e-4 * truth.std()


def test_without_the_terms_that_make_the_target_something_is_left():
    poorer = fit_emulator(pairs(), EmulatorPlan(size=1, log=False, register=False))
    assert np.sqrt(poorer.residual_variance) > 0.02


def test_the_residual_variance_is_the_noise():
    emulator = fit_emulator(pairs(noise=0.01), SMALL)
    found = np.sqrt(emulator.residual_variance) * emulator.target_scale
    # 4 images of 46 × 50 pixels.
    assert found == pytest.approx(0.01, rel=4 / np.sqrt(2 * 9200))


def test_images_one_by_one_give_the_fit_of_all_rows_at_once():
    given = pairs(noise=0.01)
    emulator = fit_emulator(given, EmulatorPlan(size=1, degree=2, register=False, ridge=0.0))
    scale = np.float32(np.std([one.linear for one in given], dtype=np.float64))
    x = np.concatenate([(one.linear / scale).ravel() for one in given]).astype(np.float64)
    y = np.concatenate([one.multislice.ravel() for one in given])
    rows = np.stack([np.ones_like(x), x, np.log(x), x**2, x * np.log(x), np.log(x) ** 2], axis=1)
    expected = rows @ np.linalg.lstsq(rows, y, rcond=None)[0]
    found = np.concatenate([emulator.predict(one.linear).ravel() for one in given])
    assert found == pytest.approx(expected, abs=1e-4 * float(y.std()))


def test_masked_pixels_are_not_learned_from():
    given = pairs()
    spoiled, masks = [], {}
    for one in given:
        values = one.multislice.copy()
        values[10:20] = 7.0
        mask = np.ones(values.shape, dtype=bool)
        mask[10:20] = False
        spoiled.append(type(one)(one.name, one.linear, values))
        masks[one.name] = mask
    clean = fit_emulator(spoiled, SMALL, masks=masks)
    assert np.sqrt(clean.residual_variance) < 1e-3
    assert np.sqrt(fit_emulator(spoiled, SMALL).residual_variance) > 0.1


def test_a_shift_between_the_images_is_found_and_learned():
    def moved(linear):
        return np.roll(np.roll(linear, 1, axis=0), 1, axis=1) ** 2

    plan = EmulatorPlan(size=1, ridge=1e-10)
    registered = fit_emulator(pairs(target=moved), plan)
    assert registered.shift_px == pytest.approx((1.0, 1.0), abs=0.02)
    plain = fit_emulator(pairs(target=moved), EmulatorPlan(size=1, register=False))
    assert registered.residual_variance < 0.01 * plain.residual_variance
    # What a spline of two samples does not know at the border, and the shift itself.
    assert known_pixels(registered, pairs()[0]).sum() == (48 - 2 * 3) * (52 - 2 * 3)


def test_progress_hears_every_image():
    heard = []
    fit_emulator(pairs(3), SMALL, progress=lambda done, all_: heard.append((done, all_)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_too_few_pixels_are_refused():
    few = [type(one)(one.name, one.linear[:16, :16], one.multislice[:16, :16]) for one in pairs(1)]
    with pytest.raises(ImageError, match="cannot tell"):
        fit_emulator(few, EmulatorPlan(register=False))
    with pytest.raises(ImageError, match="no pairs"):
        fit_emulator([], EmulatorPlan(register=False))
    with pytest.raises(ImageError, match="no pixel"):
        fit_emulator(few, EmulatorPlan(size=17, degree=1, register=False))


def test_terms_that_cannot_be_told_apart_need_a_ridge():
    # Of an image of two values all powers are the same.
    halves = [
        type(one)(one.name, (one.linear > np.median(one.linear)).astype(np.float32), one.multislice)
        for one in pairs(2)
    ]
    told = {"size": 1, "degree": 3, "log": False, "register": False}
    with pytest.raises(CalibrationError, match="ridge"):
        fit_emulator(halves, EmulatorPlan(**told, ridge=0.0))
    assert np.isfinite(fit_emulator(halves, EmulatorPlan(**told, ridge=1e-6)).coefficients).all()
