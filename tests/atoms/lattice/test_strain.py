import time
from dataclasses import replace

import numpy as np
import pytest
from small_lattices import CENTRED, OBLIQUE, PEROVSKITE, SQUARE, indexed_lattice, turned

from crewe.atoms.lattice.results import IndexedColumns
from crewe.atoms.lattice.strain import COMPONENTS, reference_vectors, strain_map
from crewe.errors import PlanError

GRADIENT = np.array([[0.02, -0.013], [0.007, -0.01]])


def uniform(places):
    return (places - 50) @ GRADIENT.T


def expected(gradient, degrees=0.0, hand=1.0):
    """The seven components of a gradient, those of the lattice by turning the tensor."""
    strain = (gradient + gradient.T) / 2
    along = turned(np.array([[1.0, 0.0], [0.0, hand]]), degrees)
    own = along @ strain @ along.T
    omega = np.rad2deg((gradient[1, 0] - gradient[0, 1]) / 2)
    return [strain[0, 0], strain[1, 1], strain[0, 1], omega, own[0, 0], own[1, 1], own[0, 1]]


@pytest.mark.parametrize("cell", [SQUARE, CENTRED, OBLIQUE, PEROVSKITE])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_uniform_field_in_image_and_lattice_axes(cell, mirror):
    indexed = indexed_lattice(cell, field=uniform, degrees=25.0, mirror=mirror)
    strain = strain_map(indexed)
    inner = strain.dropna(subset="eps_xx")
    truth = expected(GRADIENT, 25.0, -1.0 if mirror else 1.0)
    assert len(inner) > 0.9 * len(strain) - 4
    np.testing.assert_allclose(inner[list(COMPONENTS)], np.tile(truth, (len(inner), 1)), atol=1e-9)


def test_a_turned_crystal_rotates_clockwise_as_displayed():
    lattice = indexed_lattice(SQUARE)
    turn = indexed_lattice(SQUARE, field=lambda p: turned(p - 50, 1.0) - (p - 50))
    strain = strain_map(turn)
    np.testing.assert_allclose(strain["omega_xy_deg"].dropna(), 1.0, rtol=1e-3)
    np.testing.assert_allclose(strain["eps_xy"].dropna(), 0, atol=1e-12)
    assert np.nanmax(strain_map(lattice)["omega_xy_deg"].abs()) < 1e-9


def test_positive_shear_closes_the_angle_between_a_and_b():
    for mirror in (False, True):
        indexed = indexed_lattice(SQUARE, degrees=70.0, mirror=mirror)
        vectors = indexed.lattices[0].vectors / 3.9
        shear = 0.01 * (np.outer(vectors[0], vectors[1]) + np.outer(vectors[1], vectors[0]))
        bent = indexed_lattice(
            SQUARE, degrees=70.0, mirror=mirror, field=lambda p, s=shear: (p - 50) @ s
        )
        np.testing.assert_allclose(strain_map(bent)["eps_ab"].dropna(), 0.01)
        edges = vectors + vectors @ shear
        assert edges[0] @ edges[1] > 0


def test_a_slowly_varying_strain_is_followed_within_its_bend():
    def bent(places):
        x, y = (places - 50).T
        return np.stack([2e-4 * x * y, 1e-4 * (x**2 - y**2)], axis=1)

    indexed = indexed_lattice(CENTRED, size=15, field=bent)
    strain = strain_map(indexed)
    x, y = (indexed.columns[["expected_x", "expected_y"]].to_numpy() - 50).T
    inside = (strain["n_neighbours"] == 8).to_numpy()
    assert inside.sum() > 250
    np.testing.assert_allclose(strain["eps_xx"][inside], 2e-4 * y[inside], atol=1e-12)
    np.testing.assert_allclose(strain["eps_yy"][inside], -2e-4 * y[inside], atol=1e-12)
    np.testing.assert_allclose(strain["eps_xy"][inside], 2e-4 * x[inside], atol=1e-12)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("sites", ["same", "all"])
def test_errors_are_as_stated(given, sites):
    """Pulls have unit width, whether the table knows its errors or the scatter shows them."""
    pulls = []
    for seed in range(6):
        indexed = indexed_lattice(
            PEROVSKITE, size=13, field=uniform, degrees=8.0, noise=0.04, seed=seed,
            std=0.04 if given else None,
        )  # fmt: skip
        strain = strain_map(indexed, sites=sites)
        for name, truth in zip(COMPONENTS, expected(GRADIENT, 8.0), strict=True):
            pulls.append(((strain[name] - truth) / strain[f"{name}_std"]).dropna())
    pulls = np.concatenate(pulls)
    assert pulls.std() == pytest.approx(1, abs=0.05)
    assert abs(pulls.mean()) < 0.05


def test_all_sites_are_more_precise_and_blind_to_polarisation():
    indexed = indexed_lattice(PEROVSKITE, field=uniform, std=0.02)
    titanium = indexed.columns["site_name"] == "Ti"
    indexed.columns.loc[titanium, "y"] += 0.3
    same, every = (strain_map(indexed, sites=sites) for sites in ("same", "all"))
    for strain in (same, every):
        np.testing.assert_allclose(strain["eps_yy"].dropna(), GRADIENT[1, 1], atol=1e-9)
    assert (every["eps_yy_std"] < 0.85 * same["eps_yy_std"])[same["n_neighbours"] == 4].all()


def test_against_the_nominal_cell_the_mean_strain_shows_and_the_mean_rotation_does_not():
    wider = replace(PEROVSKITE, a=3.9 / 1.02, b=4.1 / 0.99)
    indexed = indexed_lattice(PEROVSKITE, degrees=31.0)
    nominal = IndexedColumns(
        indexed.columns, (replace(indexed.lattices[0], cell=wider),), indexed.summary
    )
    strain = strain_map(nominal, reference="cell").dropna()
    np.testing.assert_allclose(strain["eps_aa"], 0.02, atol=1e-9)
    np.testing.assert_allclose(strain["eps_bb"], -0.01, atol=1e-9)
    np.testing.assert_allclose(strain[["eps_ab", "omega_xy_deg"]], 0, atol=1e-9)
    flat = strain_map(nominal)
    assert flat.attrs["warnings"] == []
    flat = flat.dropna()
    np.testing.assert_allclose(flat[["eps_aa", "eps_bb"]], 0, atol=1e-9)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_nominal_cell_is_turned_onto_the_fitted_one(mirror):
    lattice = indexed_lattice(OBLIQUE, degrees=-140.0, mirror=mirror).lattices[0]
    np.testing.assert_allclose(reference_vectors(lattice, "cell"), lattice.vectors, atol=1e-12)


@pytest.mark.parametrize("reference", ["mean", "cell"])
def test_the_error_of_the_reference_is_that_of_refitted_lattices(reference):
    indexed = indexed_lattice(OBLIQUE, degrees=20.0)
    lattice = indexed.lattices[0]
    rng = np.random.default_rng(0)
    half = rng.normal(0, 2e-3, (6, 6))
    wrong = replace(lattice, covariance=half @ half.T)
    stated = strain_map(IndexedColumns(indexed.columns, (wrong,), {}), reference=reference)
    seen = []
    for change in rng.multivariate_normal(np.zeros(6), wrong.covariance, size=300):
        moved = replace(lattice, vectors=lattice.vectors + change[2:].reshape(2, 2))
        strain = strain_map(IndexedColumns(indexed.columns, (moved,), {}), reference=reference)
        seen.append(strain[["eps_xx", "eps_ab", "omega_xy_deg"]].iloc[60].to_numpy())
    common = stated.attrs["reference_std"][0]
    expected_std = [common[name] for name in ("eps_xx", "eps_ab", "omega_xy_deg")]
    np.testing.assert_allclose(np.std(seen, axis=0), expected_std, rtol=0.15, atol=1e-5)


def test_columns_without_a_lattice_have_no_strain():
    indexed = indexed_lattice(SQUARE, std=0.02)
    indexed.columns.loc[[5, 60], ["lattice", "site"]] = -1
    strain = strain_map(indexed)
    assert strain.loc[[5, 60], list(COMPONENTS)].isna().all(axis=None)
    assert strain.loc[61, "n_neighbours"] == 3
    assert strain.index.equals(indexed.columns.index)
    assert strain.attrs["units"]["omega_xy_deg"] == "°"


def test_ten_thousand_columns_take_under_a_second():
    indexed = indexed_lattice(SQUARE, size=100, noise=0.02)
    start = time.perf_counter()
    strain = strain_map(indexed)
    assert time.perf_counter() - start < 1.0
    assert strain["eps_xx"].notna().sum() > 9900


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reference": "best"}, "'mean' or 'cell'"),
        ({"sites": "Pb"}, "'same' or 'all'"),
        ({"radius": 0.0}, "holds no neighbours"),
        ({"radius": np.nan}, "holds no neighbours"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(PlanError, match=message):
        strain_map(indexed_lattice(SQUARE), **settings)


def test_tables_without_columns_or_lattices_are_no_accident():
    indexed = indexed_lattice(SQUARE, std=0.0)
    assert (strain_map(indexed)["eps_xx_std"].dropna() < 1e-5).all()
    empty = IndexedColumns(indexed.columns.iloc[:0], indexed.lattices, {})
    lost = IndexedColumns(indexed.columns.assign(lattice=-1, site=-1), indexed.lattices, {})
    nothing = IndexedColumns(lost.columns, (), {})
    for given, count in ((empty, 0), (lost, 121), (nothing, 121)):
        strain = strain_map(given)
        assert len(strain) == count
        assert strain["eps_xx"].isna().all()


def test_a_lattice_that_is_not_the_mean_of_its_columns_is_told():
    indexed = indexed_lattice(SQUARE)
    shrunk = replace(indexed.lattices[0], vectors=indexed.lattices[0].vectors * 0.98)
    strain = strain_map(IndexedColumns(indexed.columns, (shrunk,), {}))
    np.testing.assert_allclose(strain["eps_xx"].dropna(), 1 / 0.98 - 1)
    (warning,) = strain.attrs["warnings"]
    assert "strained by 2.0%" in warning
    assert strain_map(indexed).attrs["warnings"] == []


def test_a_greater_radius_smooths():
    indexed = indexed_lattice(CENTRED, size=15, noise=0.03, std=0.03)
    near, far = strain_map(indexed), strain_map(indexed, radius=2.1)
    assert (near["n_neighbours"].max(), far["n_neighbours"].max()) == (8, 24)
    assert far["eps_xx"].std() < 0.5 * near["eps_xx"].std()
    assert far["eps_xx_std"].median() < 0.5 * near["eps_xx_std"].median()
