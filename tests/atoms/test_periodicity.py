import numpy as np
import pytest

from crewe.atoms.periodicity import autocorrelation, lattice_average, translations
from crewe.atoms.scale import blob_responses
from crewe.testing.lattices import draw_columns, square_lattice


def response_of(image, scale=3.0):
    (response,) = blob_responses(image.values, np.array([scale]))
    return response


def test_autocorrelation_equals_the_sum_written_out():
    image = np.random.default_rng(0).normal(size=(20, 24))
    centred = image - image.mean()
    found = autocorrelation(image, 5)
    expected = np.mean(centred[3:, :-2] * centred[:-3, 2:])
    assert found[5 + 3, 5 - 2] == pytest.approx(expected)
    assert found[5 - 3, 5 + 2] == pytest.approx(expected)


def test_translations_of_a_square_lattice():
    vectors = translations(response_of(square_lattice((200, 200)).image), 3.0)
    lengths = np.hypot(*vectors.T)
    assert np.allclose(lengths, 1.96 / 0.15, atol=0.6)
    assert abs(vectors[0] @ vectors[1]) < 0.1 * lengths.prod()


def test_the_vector_between_unlike_columns_is_no_translation():
    truth = square_lattice((200, 200), spacing=3.9, displacement=0.0).truth
    second = truth.assign(x=truth.x + 1.95, y=truth.y + 1.95, height=0.012)
    both = draw_columns(truth, (200, 200), 0.15) + draw_columns(second, (200, 200), 0.15).values
    vectors = translations(response_of(both), 3.0)
    assert np.allclose(np.hypot(*vectors.T), 3.9 / 0.15, atol=0.6)


def test_noise_has_no_translations():
    noise = np.random.default_rng(1).normal(size=(200, 200))
    (response,) = blob_responses(noise, np.array([3.0]))
    assert translations(response, 3.0).shape == (0, 2)


def test_lattice_average_lowers_noise_threefold():
    noise = np.random.default_rng(2).normal(size=(300, 300))
    mean = lattice_average(noise, np.array([[0.0, 13.0], [13.0, 0.0]]))
    assert mean[30:-30, 30:-30].std() == pytest.approx(1 / 3, rel=0.05)
