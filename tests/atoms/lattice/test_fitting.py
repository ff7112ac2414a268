import numpy as np
import pytest
from laid_out_cells import rotation

from crewe.atoms.lattice.fitting import fit_lattice, length_errors

EDGES = np.array([[4.0, 0.0], [-1.0, 5.0]])
PLACES = np.stack(np.meshgrid(range(-4, 5), range(-3, 4)), axis=-1).reshape(-1, 2).astype(float)
ORIGIN = np.array([20.0, 30.0])
UNKNOWN = np.full(PLACES.shape, np.nan)


def vector(fit):
    return np.concatenate([fit.origin, *fit.vectors])


@pytest.mark.parametrize("hand", [1, -1])
@pytest.mark.parametrize(
    ("refine", "change"),
    [
        ("lattice", np.array([[1.03, 0.02], [-0.04, 0.97]])),
        ("scale", 1.04 * np.eye(2)),
        ("rotation", np.eye(2)),
    ],
)
def test_exact_places_give_the_lattice_back(refine, change, hand):
    edges = EDGES @ rotation(0, hand)
    true = edges @ change @ rotation(25.0)
    fit = fit_lattice(PLACES, ORIGIN + PLACES @ true, UNKNOWN, edges, refine)
    assert np.allclose(fit.origin, ORIGIN)
    assert np.allclose(fit.vectors, true)
    assert np.abs(fit.residuals).max() < 1e-9


def test_rotation_keeps_the_lengths_and_scale_the_shape():
    points = ORIGIN + PLACES @ (EDGES * [1.05, 1.01])
    fixed = fit_lattice(PLACES, points, UNKNOWN, EDGES, "rotation")
    assert np.allclose(np.linalg.norm(fixed.vectors, axis=1), np.linalg.norm(EDGES, axis=1))
    scaled = fit_lattice(PLACES, points, UNKNOWN, EDGES, "scale").vectors
    lengths = np.linalg.norm(scaled, axis=1) / np.linalg.norm(EDGES, axis=1)
    assert lengths[0] == pytest.approx(lengths[1])
    assert 1.01 < lengths[0] < 1.05


@pytest.mark.parametrize("refine", ["lattice", "scale", "rotation"])
def test_the_covariance_is_that_of_repeated_measurements(refine):
    rng = np.random.default_rng(1)
    fits = []
    for _ in range(600):
        points = ORIGIN + PLACES @ EDGES + rng.normal(0, 0.1, PLACES.shape)
        fits.append(fit_lattice(PLACES, points, UNKNOWN, EDGES, refine))
    found = np.std([vector(fit) for fit in fits], axis=0)
    stated = np.sqrt(np.mean([np.diag(fit.covariance) for fit in fits], axis=0))
    seen = found > 1e-5
    assert seen.sum() >= 5
    assert stated[seen] == pytest.approx(found[seen], rel=0.12)
    lengths = [np.linalg.norm(fit.vectors, axis=1) for fit in fits]
    stated_a, stated_b, _, turn = length_errors(fits[0].vectors, fits[0].covariance)
    if refine != "rotation":
        assert [stated_a, stated_b] == pytest.approx(np.std(lengths, axis=0), rel=0.2)
    angles = np.rad2deg([np.arctan2(fit.vectors[0, 1], fit.vectors[0, 0]) for fit in fits])
    assert turn == pytest.approx(np.std(angles), rel=0.2)


def test_scatter_beyond_the_errors_is_in_the_one_covariance_and_not_in_the_other():
    rng = np.random.default_rng(2)
    points = ORIGIN + PLACES @ EDGES + rng.normal(0, 0.2, PLACES.shape)
    fit = fit_lattice(PLACES, points, np.full(PLACES.shape, 0.02), EDGES)
    ratio = np.sqrt(np.diag(fit.covariance) / np.diag(fit.covariance_of_fits))
    assert ratio == pytest.approx(np.full(6, 10.0), rel=0.2)
    assert np.isnan(fit_lattice(PLACES, points, UNKNOWN, EDGES).covariance_of_fits).all()


def test_columns_known_badly_count_little():
    rng = np.random.default_rng(3)
    error = np.where(np.arange(len(PLACES))[:, None] % 3 == 0, 1.0, 0.01) * np.ones(2)
    truth = np.concatenate([ORIGIN, *EDGES])
    weighted, plain = [], []
    for _ in range(40):
        points = ORIGIN + PLACES @ EDGES + rng.normal(size=PLACES.shape) * error
        weighted.append(vector(fit_lattice(PLACES, points, error, EDGES)) - truth)
        plain.append(vector(fit_lattice(PLACES, points, UNKNOWN, EDGES)) - truth)
    assert np.std(weighted) < 0.5 * np.std(plain)


def test_the_error_of_the_angle_is_that_of_repeated_measurements():
    rng = np.random.default_rng(4)
    angles, stated = [], []
    for _ in range(300):
        points = ORIGIN + PLACES @ EDGES + rng.normal(0, 0.1, PLACES.shape)
        fit = fit_lattice(PLACES, points, UNKNOWN, EDGES)
        a, b = fit.vectors
        angles.append(np.rad2deg(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))
        stated.append(length_errors(fit.vectors, fit.covariance)[2])
    assert np.mean(stated) == pytest.approx(np.std(angles), rel=0.15)
