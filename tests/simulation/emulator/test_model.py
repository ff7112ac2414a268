import dataclasses

import numpy as np
import pytest
from ase import Atoms
from known_polynomial import pairs, smooth_image

from crewe.errors import CalibrationError, ImageError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.noise import Noise, measured_noise
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan

CONVOLUTION = Convolution(0.2, probe_sigma_angstrom=0.5)
PLAN = EmulatorPlan(size=3, register=False, ridge=1e-9)


def particle(seed, count=40, height=10.0):
    rng = np.random.default_rng(seed)
    places = rng.uniform(3, 9, (count, 3))
    places[:, 2] = rng.uniform(0, height, count)
    return Atoms(f"Pt{count}", positions=places, cell=(12, 12, height), pbc=False)


def particle_pairs(count=4):
    result = []
    for seed in range(count):
        atoms = particle(seed)
        linear = CONVOLUTION.image(atoms.numbers, atoms.positions, (60, 60))
        bent = linear - 2e-5 * linear**2
        result.append(Pair(str(seed), linear, bent, atoms.numbers, atoms.positions))
    return result


@pytest.fixture(scope="module")
def emulator():
    return fit_emulator(particle_pairs(), PLAN, convolution=CONVOLUTION)


def test_the_image_of_atoms_is_the_prediction_from_their_convolution_image(emulator):
    atoms = particle(11)
    image = emulator.image(atoms)
    assert image.dims == ("y", "x")
    assert image.attrs["units"] == "fraction of beam"
    linear = CONVOLUTION.image(atoms.numbers, atoms.positions, (60, 60))
    expected = emulator.predict(linear)
    assert image.values[2:-2, 2:-2] == pytest.approx(expected[2:-2, 2:-2], rel=1e-4, abs=1e-3)


def test_atoms_stand_where_they_are_whatever_the_training_pairs_shift(emulator):
    shifted = dataclasses.replace(emulator, shift_px=(3.0, -2.0))
    atoms = particle(11)
    assert np.array_equal(shifted.image(atoms).values, emulator.image(atoms).values)
    linear = CONVOLUTION.image(atoms.numbers, atoms.positions, (60, 60))
    moved = shifted.predict(linear)[10:-10, 10:-10]
    assert moved == pytest.approx(emulator.predict(linear)[7:-13, 12:-8], rel=1e-3, abs=0.5)


def test_the_border_of_an_image_of_atoms_knows_what_lies_beyond_it(emulator):
    atoms = particle(11)
    whole = emulator.image_of(atoms.numbers, atoms.positions, (60, 60))
    places = atoms.positions - [15 * 0.2, 20 * 0.2, 0]
    part = emulator.image_of(atoms.numbers, places, (20, 30))
    scale = whole.max()
    assert part == pytest.approx(whole[20:40, 15:45], abs=1e-4 * float(scale))


def test_an_emulator_without_a_convolution_takes_images_but_no_atoms():
    bare = fit_emulator(particle_pairs(), PLAN)
    assert bare.predict(particle_pairs(1)[0].linear).shape == (60, 60)
    with pytest.raises(CalibrationError, match="convolution images"):
        bare.image(particle(0))


def test_the_standard_error_of_a_linear_model_is_the_textbooks():
    noisy = pairs(noise=0.02)
    plan = EmulatorPlan(size=1, degree=1, log=False, register=False, ridge=0.0)
    emulator = dataclasses.replace(fit_emulator(noisy, plan), noise=Noise(np.zeros(1), np.zeros(1)))
    x = np.concatenate([one.linear.ravel() for one in noisy]).astype(np.float64)
    y = np.concatenate([one.multislice.ravel() for one in noisy]).astype(np.float64)
    rows = np.stack([np.ones_like(x), x], axis=1)
    _, rest, *_ = np.linalg.lstsq(rows, y, rcond=None)
    covariance = rest[0] / (len(x) - 2) * np.linalg.inv(rows.T @ rows)
    unseen = smooth_image(99)
    at = np.stack([np.ones(unseen.size), unseen.ravel()])
    expected = np.sqrt((at * (covariance @ at)).sum(axis=0)).reshape(unseen.shape)
    assert emulator.standard_error(unseen) == pytest.approx(expected, rel=1e-2)


def test_the_standard_error_holds_two_thirds_of_noisy_pixels():
    emulator = fit_emulator(pairs(noise=0.02), EmulatorPlan(size=3, register=False, ridge=1e-9))
    unseen = pairs(6, noise=0.02)[5]
    error = np.abs(emulator.predict(unseen.linear) - unseen.multislice)
    inside = (error < emulator.standard_error(unseen.linear))[1:-1, 1:-1].mean()
    assert inside == pytest.approx(0.683, abs=0.03)


def test_measured_noise_follows_the_value():
    rng = np.random.default_rng(3)
    emulated = rng.uniform(0, 1, 20000)
    actual = emulated + (0.1 + 0.3 * emulated) * rng.standard_normal(20000)
    noise = measured_noise(emulated, actual)
    assert noise([0.25, 0.75]) == pytest.approx([0.175, 0.325], rel=0.1)


def test_few_bright_pixels_have_an_error_of_their_own():
    rng = np.random.default_rng(3)
    emulated = np.concatenate([rng.uniform(0, 0.1, 10**5), rng.uniform(0.5, 1, 2000)])
    actual = emulated + np.where(emulated > 0.5, 0.2, 0.01) * rng.standard_normal(len(emulated))
    noise = measured_noise(emulated, actual)
    assert noise([0.05, 0.55, 0.95]) == pytest.approx([0.01, 0.2, 0.2], rel=0.25)


def test_an_image_like_the_training_ones_lies_inside_and_a_thicker_one_does_not(emulator):
    like = CONVOLUTION.image(*_of(particle(21)), (60, 60))
    assert emulator.check(like).inside
    thick = CONVOLUTION.image(*_of(particle(21, count=200)), (60, 60))
    report = emulator.check(thick)
    assert not report.inside
    assert report.share_outside > 0.02
    assert "outside what it has seen" in report.reasons[0]
    assert report.outside.shape == (60, 60)
    # What is unlike the training images is where the atoms are.
    assert report.outside[20:40, 20:40].mean() > report.outside[:8].mean()


def _of(atoms):
    return atoms.numbers, atoms.positions


@pytest.mark.parametrize("image", [np.zeros((3, 4, 5)), np.zeros((0, 4)), np.full((9, 9), np.nan)])
def test_what_is_no_image_is_refused(emulator, image):
    with pytest.raises(ImageError):
        emulator.predict(image)
