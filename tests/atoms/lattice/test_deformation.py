import numpy as np
import pytest
from small_lattices import CENTRED, OBLIQUE, PEROVSKITE, indexed_lattice

from crewe.atoms.lattice.deformation import local_gradients
from crewe.atoms.lattice.translations import lattice_translations, site_classes

GRADIENT = np.array([[0.02, -0.013], [0.007, -0.01]])


def field(places):
    return (places - 50) @ GRADIENT.T


def arguments(indexed):
    cell, table = indexed.lattices[0].cell, indexed.columns
    sites = table["site"].to_numpy()
    return {
        "points": table[["x", "y"]].to_numpy(),
        "errors": np.full((len(table), 2), 0.02),
        "places": table[["cell_a", "cell_b"]].to_numpy() + cell.sites[sites],
        "classes": site_classes(cell)[sites],
        "vectors": indexed.lattices[0].vectors,
        "translations": lattice_translations(cell),
    }


@pytest.mark.parametrize("cell", [CENTRED, OBLIQUE, PEROVSKITE])
@pytest.mark.parametrize("all_sites", [False, True])
def test_a_uniform_deformation_is_found_everywhere(cell, all_sites):
    given = arguments(indexed_lattice(cell, field=field, degrees=12.0))
    found = local_gradients(**given, radius=6.5, all_sites=all_sites)
    np.testing.assert_allclose(
        found.gradient, np.broadcast_to(np.eye(2) + GRADIENT, (len(given["points"]), 2, 2))
    )
    np.testing.assert_allclose(found.reduced_chi_square, 0, atol=1e-15)


def naive(given, centre, radius):
    """Weighted least squares of p = offset of the class + F d, one column at a time."""
    points, places, classes = given["points"], given["places"], given["classes"]
    ideal = (places - places[centre]) @ given["vectors"]
    near = np.linalg.norm(ideal, axis=1) <= radius
    variance = given["errors"][near] ** 2
    design = np.concatenate([ideal[near], np.eye(classes.max() + 1)[classes[near]]], axis=1)
    design = design[:, design.any(axis=0)]
    scaled = design / variance.mean(axis=1)[:, None]
    solver = np.linalg.inv(design.T @ scaled) @ scaled.T
    gradient = (solver @ points[near])[:2].T
    covariance = [solver[:2] * variance[:, axis] @ solver[:2].T for axis in (0, 1)]
    return gradient, np.array(covariance), near.sum() - 1


@pytest.mark.parametrize("all_sites", [False, True])
def test_fast_path_agrees_with_one_fit_after_the_other(all_sites):
    indexed = indexed_lattice(PEROVSKITE, size=5, field=field, noise=0.05)
    given = arguments(indexed)
    given["errors"] = np.random.default_rng(1).uniform(0.01, 0.1, given["errors"].shape)
    found = local_gradients(**given, radius=4.4, all_sites=all_sites)
    for centre in range(len(given["points"])):
        own = given["classes"] == given["classes"][centre]
        part = (
            given
            if all_sites
            else given
            | {name: given[name][own] for name in ("points", "errors", "places", "classes")}
        )
        place = centre if all_sites else int(own[:centre].sum())
        gradient, covariance, count = naive(part, place, 4.4)
        if count >= 3:
            np.testing.assert_allclose(found.gradient[centre], gradient, atol=1e-10)
            np.testing.assert_allclose(found.covariance[centre], covariance, atol=1e-10)
        assert found.n_neighbours[centre] == count


def test_reduced_chi_square_is_one_when_errors_are_right():
    given = arguments(indexed_lattice(CENTRED, size=21, field=field, noise=0.02, seed=3))
    found = local_gradients(**given, radius=6.0)
    assert np.mean(found.reduced_chi_square) == pytest.approx(1, abs=0.1)


def test_too_few_neighbours_and_a_line_give_nan():
    given = arguments(indexed_lattice(OBLIQUE, size=7))
    on_line = given["places"][:, 1] == given["places"][0, 1]
    line = given | {
        name: given[name][on_line] for name in ("points", "errors", "places", "classes")
    }
    found = local_gradients(**line, radius=10.0)
    assert found.n_neighbours.max() >= 4
    assert np.isnan(found.gradient).all()
    lonely = local_gradients(**given, radius=1.0)
    assert np.isnan(lonely.gradient).all()
    assert np.isnan(lonely.covariance).all()
    assert (lonely.n_neighbours == 0).all()


def test_indices_that_jump_do_no_harm():
    given = arguments(indexed_lattice(CENTRED, field=field))
    wrong = given["places"].copy()
    wrong[given["points"][:, 0] > 55] += [1.0, -2.0]
    jumped = local_gradients(**(given | {"places": wrong}), radius=6.5)
    np.testing.assert_allclose(jumped.gradient, local_gradients(**given, radius=6.5).gradient)


def test_a_misplaced_column_is_no_neighbour():
    given = arguments(indexed_lattice(OBLIQUE))
    given["points"] = given["points"].copy()
    given["points"][60] += [1.3, 0.0]
    found = local_gradients(**given, radius=6.5)
    others = np.arange(len(given["points"])) != 60
    np.testing.assert_allclose(
        found.gradient[others], np.broadcast_to(np.eye(2), (others.sum(), 2, 2)), atol=1e-12
    )
