import numpy as np
import pytest
from scipy import ndimage

from crewe.atoms.peaks import peak_value
from crewe.atoms.stamps import Grid
from crewe.atoms.weak_candidates import candidate_places, excess_noise, score_map, stamp

GRID = Grid(60, 70, 0.2, 0.15)


@pytest.mark.parametrize(("peak", "code"), [("gaussian", 0), ("lorentzian", 1)])
def test_the_stamp_is_the_peak_in_the_middle(peak, code):
    drawn = stamp(peak, 0.4, GRID)
    assert drawn.shape[0] % 2 == drawn.shape[1] % 2 == 1
    i, j = drawn.shape[0] // 2, drawn.shape[1] // 2
    assert drawn[i, j] == pytest.approx(1.0)
    expected = peak_value(code, (2 * 0.2) ** 2 + (3 * 0.15) ** 2, 0.4)
    assert drawn[i + 2, j - 3] == pytest.approx(expected)


def test_the_score_is_that_of_a_fit_of_one_height():
    """Least squares of a single peak, written out at a pixel in the middle and one at the edge."""
    rng = np.random.default_rng(0)
    residual, weight = rng.normal(size=(60, 70)), rng.uniform(0.5, 2.0, (60, 70))
    drawn = stamp("gaussian", 0.4, GRID)
    score, error = score_map(residual, weight, drawn)
    half_y, half_x = drawn.shape[0] // 2, drawn.shape[1] // 2
    for row, column in ((30, 35), (2, 68)):
        place = np.zeros((60 + 2 * half_y, 70 + 2 * half_x))
        place[row : row + drawn.shape[0], column : column + drawn.shape[1]] = drawn
        g = place[half_y:-half_y, half_x:-half_x]
        information = np.sum(weight * g * g)
        assert error[row, column] == pytest.approx(information**-0.5)
        height = np.sum(weight * g * residual) / information
        assert score[row, column] == pytest.approx(height * information**0.5)


def test_white_noise_scores_one_and_smooth_noise_more():
    rng = np.random.default_rng(1)
    noise, grid = rng.normal(size=(300, 300)), Grid(300, 300, 0.15, 0.15)
    everywhere = np.ones((300, 300), bool)
    drawn = stamp("gaussian", 0.45, grid)
    score, _ = score_map(noise, np.ones_like(noise), drawn)
    assert np.std(score) == pytest.approx(1.0, abs=0.05)
    assert excess_noise(score, everywhere) == pytest.approx(1.0, abs=0.05)
    smooth = ndimage.gaussian_filter(noise, 2.0)
    score, _ = score_map(smooth / smooth.std(), np.ones_like(noise), drawn)
    assert excess_noise(score, everywhere) > 2


def test_candidates_are_maxima_apart_from_what_is_there():
    score = np.zeros((60, 70))
    score[20, 20], score[20, 22], score[40, 50], score[10, 60] = 6.0, 5.0, 7.0, 4.0
    mask = np.ones((60, 70), bool)
    none = np.zeros((0, 2))
    places = candidate_places(score, mask, GRID, 0.8, 3.0, none)
    assert np.allclose(places, [[50 * 0.15, 40 * 0.2], [20 * 0.15, 20 * 0.2], [9.0, 2.0]])
    taken = np.array([[50 * 0.15 + 0.3, 40 * 0.2]])
    assert len(candidate_places(score, mask, GRID, 0.8, 3.0, taken)) == 2
    assert len(candidate_places(score, mask, GRID, 0.8, 4.5, none)) == 2
    mask[:, 40:] = False
    assert len(candidate_places(score, mask, GRID, 0.8, 3.0, none)) == 1
    assert len(candidate_places(score, mask, GRID, 0.8, 9.0, taken)) == 0
