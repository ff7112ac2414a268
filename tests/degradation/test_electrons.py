import numpy as np
import pytest

from crewe.degradation.electrons import Dose, ShotNoise, dose, shot_noise
from crewe.errors import ImageError

RNG = np.random.default_rng(0)


def test_both_images_come_to_electrons_by_one_gain():
    ideal = np.random.default_rng(1).uniform(0.2, 1, (40, 50)).astype(np.float32)
    image = ideal * 1.1
    scaled, truth = dose(image, ideal, Dose(25.0), RNG)
    assert truth.mean() == pytest.approx(25)
    assert np.allclose(scaled / truth, 1.1)


@pytest.mark.parametrize("electrons", [0.5, 8.0, 750.0])
def test_counts_keep_the_mean_and_have_it_as_variance(electrons):
    expected = electrons * np.linspace(0.5, 1.5, 300, dtype=np.float32) * np.ones((400, 1))
    counts = shot_noise(expected, ShotNoise(), np.random.default_rng(2))
    assert counts.mean() == pytest.approx(expected.mean(), rel=0.01)
    assert np.mean((counts - expected) ** 2) == pytest.approx(expected.mean(), rel=0.02)
    assert np.array_equal(counts, np.rint(counts))


@pytest.mark.parametrize("image", [np.zeros((3, 3)), -np.ones((3, 3))])
def test_darkness_has_no_dose(image):
    with pytest.raises(ImageError, match="positive mean"):
        dose(image, image, Dose(1.0), RNG)


def test_an_image_that_is_its_own_ideal_stays_so():
    image = np.ones((3, 3), np.float32)
    scaled, truth = dose(image, image, Dose(3.0), RNG)
    assert scaled is truth
