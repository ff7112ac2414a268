import json

import numpy as np
import pytest
import scipy.ndimage

from crewe.errors import CalibrationError, ImageError
from crewe.simulation.emulator.neighbourhood import Neighbourhood
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.splits import Split, leave_out_splits
from crewe.simulation.emulator.validation import (
    cross_validate,
    final_emulator,
    validate_splits,
)

SMALL = EmulatorPlan(size=3, log=False, degree=2, register=False)


def blobs(rng, shape=(56, 60), density=0.015, width=3.0):
    """Points at random places, blurred: smooth as a convolution image."""
    points = (rng.random(shape) < density) * rng.integers(1, 5, shape)
    return scipy.ndimage.gaussian_filter(points.astype(np.float64), width).astype(np.float32)


def polynomial(linear):
    """A target that the features of a 3 × 3 grid explain wholly."""
    planes = Neighbourhood(3, False).planes(linear).astype(np.float64)
    return 0.02 + 0.5 * planes[4] - 3.0 * planes[4] * planes[5] + 0.3 * planes[0] ** 2


def made(count, noise=0.0, change=polynomial, seed=0, **options):
    rng = np.random.default_rng(seed)
    result = []
    for n in range(count):
        linear = blobs(rng, **options)
        target = change(linear)
        target = target + noise * rng.normal(size=linear.shape)
        result.append(Pair(f"{n:02}", linear, target.astype(np.float32)))
    return result


def generator():
    return np.random.default_rng(7)


def test_a_polynomial_of_the_features_is_found():
    found = cross_validate(made(6), SMALL, rng=generator())
    assert found.one_minus_r2 < 1e-10
    assert found.fractional_rms == pytest.approx(np.sqrt(found.one_minus_r2))
    assert found.terms == 55
    assert found.pixels == 2 * 6 * 54 * 58


def test_white_noise_is_what_is_left():
    noise = 0.004
    pairs = made(8, noise)
    found = cross_validate(pairs, SMALL, rng=generator())
    inner = np.concatenate([pair.multislice[1:-1, 1:-1].ravel() for pair in pairs])
    expected = noise**2 / inner.astype(np.float64).var()
    # 55 terms learned from 12,500 pixels add 0.4 %; the sampling error of a variance is 0.9 %.
    assert found.one_minus_r2 == pytest.approx(1.0044 * expected, rel=0.03)
    np.testing.assert_allclose(found.noise.errors, noise, rtol=0.12)
    assert found.coverage == pytest.approx((0.683, 0.954), abs=0.012)


def test_repeats_and_images_make_up_the_pooled_figure():
    pairs = made(6, 0.004)
    found = cross_validate(pairs, SMALL, rng=generator(), repeats=3)
    assert len(found.each_repeat) == found.repeats == 3
    assert np.mean(found.each_repeat) == pytest.approx(found.one_minus_r2, rel=1e-6)
    table = found.per_image
    assert list(table["pair"]) == [pair.name for pair in pairs]
    squares = np.average(table["fractional_rms"] ** 2, weights=table["pixels"])
    assert squares == pytest.approx(found.one_minus_r2, rel=1e-6)
    own = [np.var(pair.multislice[1:-1, 1:-1], dtype=np.float64) for pair in pairs]
    np.testing.assert_allclose(table["rms"] ** 2 / own, table["one_minus_r2"], rtol=1e-5)


def test_a_shift_is_found_by_each_fold_and_carries_over():
    def shifted(linear):
        bent = linear.astype(np.float64) - 0.6 * linear.astype(np.float64) ** 2
        return scipy.ndimage.shift(bent, (0.7, -0.4), order=3, mode="nearest")

    pairs = made(6, change=shifted)
    plan = EmulatorPlan(size=1, log=False, degree=3)
    found = cross_validate(pairs, plan, rng=generator())
    np.testing.assert_allclose(found.shifts_px, np.tile([0.7, -0.4], (4, 1)), atol=0.02)
    without = cross_validate(
        pairs, EmulatorPlan(size=1, log=False, degree=3, register=False), rng=generator()
    )
    assert (without.shifts_px == 0).all()
    assert found.one_minus_r2 < 1e-3 < 0.02 < without.one_minus_r2


def kinds_of_images():
    """Pairs of two kinds, each image with its own relation between its halves."""
    rng = np.random.default_rng(3)
    pairs = []
    for n in range(6):
        linear = blobs(rng, width=2.0 + 0.6 * n)
        target = linear * (1 + 0.1 * n) - 0.1 * n * linear**2
        pairs.append(Pair(f"{n}", linear, target.astype(np.float32)))
    return pairs


def test_images_of_other_kinds_are_harder_than_other_pixels_of_the_same():
    pairs = kinds_of_images()
    by = {
        kind: cross_validate(pairs, SMALL, rng=generator(), kind=kind).one_minus_r2
        for kind in ("image", "block", "pixel")
    }
    assert by["pixel"] <= by["block"] < by["image"]
    assert by["pixel"] < 0.7 * by["image"]


def test_held_out_pixels_are_kept_for_plots():
    pairs = made(4)
    found = cross_validate(pairs, SMALL, rng=generator(), repeats=1)
    assert sorted(part.name for part in found.held_out) == ["00", "01", "02", "03"]
    for part in found.held_out:
        image = part.image()
        assert np.isnan(image[0]).all()
        actual = pairs[int(part.name)].multislice
        np.testing.assert_allclose(image[1:-1, 1:-1], actual[1:-1, 1:-1], rtol=1e-4)


def test_pixels_learned_from_are_not_tested_on():
    pairs = made(3, 0.01)
    found = cross_validate(pairs, SMALL, rng=generator(), kind="pixel", folds=3, repeats=1)
    assert found.pixels == 3 * 54 * 58
    assert found.kind == "pixel"
    assert len(found.shifts_px) == 3


def test_more_images_teach_more():
    pairs = made(12, 0.02)
    errors = []
    for training in (1, 3, 9):
        splits = leave_out_splits(12, training, 3, generator())
        found = validate_splits(pairs, SMALL, splits, kind="image", folds=0)
        errors.append(found.one_minus_r2)
    assert errors[0] > errors[1] > errors[2]
    assert np.isnan(found.coverage).all()


def test_the_phonons_floor_is_their_variance():
    noise = 0.004
    error = np.full((56, 60), noise, dtype=np.float32)
    pairs = [
        Pair(pair.name, pair.linear, pair.multislice, phonon_error=error) for pair in made(6, noise)
    ]
    found = cross_validate(pairs, SMALL, rng=generator())
    assert found.phonon_floor == pytest.approx(found.one_minus_r2, rel=0.04)
    assert cross_validate(made(4), SMALL, rng=generator()).phonon_floor is None


def test_the_final_emulator_knows_its_figures():
    pairs = made(6, 0.004)
    found = cross_validate(pairs, SMALL, rng=generator())
    emulator = final_emulator(pairs, SMALL, found, about={"by": "hand"})
    figures = json.loads(json.dumps(emulator.about))
    assert figures["by"] == "hand"
    assert figures["cross_validation"]["one_minus_r2"] == found.one_minus_r2
    assert len(figures["cross_validation"]["per_image"]) == 6
    assert figures["pixels"] == 6 * 54 * 58
    assert emulator.noise is found.noise
    assert all(emulator.check(pair.linear).inside for pair in pairs)
    fresh = made(4, seed=9)
    assert all(emulator.check(pair.linear).inside for pair in fresh)
    assert not emulator.check(2 * fresh[0].linear).inside
    within = [
        (np.abs(emulator.predict(p.linear) - p.multislice) < emulator.standard_error(p.linear))
        for p in made(2, 0.004, seed=11)
    ]
    assert np.mean(within) == pytest.approx(0.683, abs=0.02)


def test_a_stranger_among_the_pairs_does_not_open_the_domain():
    pairs = made(6)
    linear = 3 * pairs[2].linear
    pairs[2] = Pair("02", linear, polynomial(linear).astype(np.float32))
    found = cross_validate(pairs, SMALL, rng=generator())
    table = found.per_image.set_index("pair")
    assert table["share_outside"]["02"] > 0.1
    assert found.share_limit == 0.1
    alike = cross_validate(made(6), SMALL, rng=generator())
    assert alike.share_limit < 0.05


def test_the_fit_that_knew_an_image_best_sets_the_limit():
    pairs = made(6)
    for n in (0, 1):
        linear = 3 * pairs[n].linear
        pairs[n] = Pair(f"{n:02}", linear, polynomial(linear).astype(np.float32))
    # Once both bright images are held out together, once each learns from the other.
    splits = [
        Split(0, (2, 3, 4, 5), (0, 1)),
        Split(1, (0, 2, 3), (1, 4, 5)),
        Split(1, (1, 4, 5), (0, 2, 3)),
    ]
    found = validate_splits(pairs, SMALL, splits, kind="image", folds=2)
    assert found.per_image["share_outside"].max() > 0.1
    assert found.share_limit < 0.1


def test_standard_errors_of_coefficients_may_be_left_out():
    pairs = made(4, 0.004)
    splits = leave_out_splits(4, 2, 1, generator())
    with_them, without = (
        validate_splits(pairs, SMALL, splits, kind="image", folds=0, standard_errors=choice)
        for choice in (True, False)
    )
    assert with_them.one_minus_r2 == without.one_minus_r2


def test_progress_reaches_its_end_step_by_step():
    heard = []
    cross_validate(made(4), SMALL, rng=generator(), progress=lambda *step: heard.append(step))
    # Each of four fits learns from two images and is tested on two.
    assert heard == [(n, 16) for n in range(1, 17)]


def test_a_seed_repeats_everything():
    pairs = made(4, 0.01)
    first, again = (cross_validate(pairs, SMALL, rng=generator()).to_dict() for _ in range(2))
    assert first == again


def test_what_cannot_be_validated_is_refused():
    with pytest.raises(CalibrationError, match="folds of images"):
        cross_validate(made(1), SMALL, rng=generator())
    with pytest.raises(ImageError, match="pixels cannot tell"):
        cross_validate(made(2, shape=(16, 16)), EmulatorPlan(register=False), rng=generator())
