import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from crewe.axes import length_unit
from crewe.errors import SpecimenError
from crewe.testing.core_shell import (
    CELL_PX,
    KINDS,
    core_shell,
    counts_per_amount,
    gallium_oxide,
    measure,
)


@pytest.fixture(scope="module", params=KINDS)
def phantom(request):
    return core_shell(request.param)


def relative_error(maps, truth):
    """Mean over elements of ‖x − truth‖ / ‖truth‖."""
    pairs = zip(np.asarray(maps), np.asarray(truth), strict=True)
    return np.mean([np.linalg.norm(x - t) / np.linalg.norm(t) for x, t in pairs])


def test_amounts_are_the_volumes_of_spheres():
    amounts = core_shell("smooth", pixels=128).amounts.sum(("y", "x")).values
    core, whole = (4 / 3 * np.pi * (part * 128) ** 3 for part in (0.25, 0.42))
    assert amounts == pytest.approx(0.5 * np.array([whole, core, whole - core]), rel=2e-3)


def test_metal_and_anions_balance_and_part_only_in_columns(phantom):
    cobalt, sulphur, oxygen = phantom.amounts.values
    assert cobalt.sum() == pytest.approx(sulphur.sum() + oxygen.sum(), rel=5e-3)
    columns = np.isclose(phantom.amounts.max(), core_shell("atomic").amounts.max())
    assert np.allclose(cobalt, sulphur + oxygen) != columns


def test_the_texture_is_a_fifth_and_spares_composition():
    smooth, textured = (core_shell(kind, seed=3) for kind in ("smooth", "textured"))
    factor = (textured.amounts / smooth.amounts).sel(element="Co").values
    inside = smooth.particle.values
    assert factor[inside].std() == pytest.approx(0.2, abs=0.01)
    assert factor[inside].min() >= 0.1
    near = np.corrcoef(factor[100, 60:190], factor[101, 60:190])[0, 1]
    assert near > np.corrcoef(factor[100, 60:190], factor[106, 60:190])[0, 1] + 0.5
    plain, rough = (one.fractions(one.amounts).values for one in (smooth, textured))
    assert plain == pytest.approx(rough, abs=1e-3)
    assert not np.allclose(textured.amounts, core_shell("textured", seed=4).amounts)


def test_columns_of_metal_lie_between_those_of_anions():
    # What remains of the crystal when the spheres are divided out.
    smooth, atomic = (core_shell(kind).amounts for kind in ("smooth", "atomic"))
    metal = (atomic / smooth).sel(element="Co").values[100:156, 100:156]
    anions = (atomic / smooth).sel(element="O").values[100:156, 100:156]
    assert np.corrcoef(metal.ravel(), anions.ravel())[0, 1] < -0.3
    assert metal[10:50, 10:50] == pytest.approx(np.roll(anions, 10, axis=0)[10:50, 10:50], rel=0.01)
    assert CELL_PX[0] / CELL_PX[1] == pytest.approx(np.sqrt(2))


def test_haadf_follows_the_atomic_number(phantom):
    place = np.unravel_index(phantom.amounts.sel(element="S").values.argmax(), (256, 256))
    cobalt, sulphur, oxygen = phantom.amounts.values[(slice(None), *place)]
    expected = (27 * cobalt) ** 1.7 + (16 * sulphur) ** 1.7 + (8 * oxygen) ** 1.7
    assert phantom.haadf.values[place] == pytest.approx(expected)


def test_a_shell_is_seen_alone_and_a_core_through_it():
    phantom = core_shell("smooth")
    core, shell = phantom.fractions(phantom.amounts).transpose("phase", "element").values
    assert shell == pytest.approx([0.5, 0, 0.5])
    assert core[0] == pytest.approx(0.5)
    # Mean thickness of spheres R over a disk a: 4/3 (R³ − (R² − a²)^(3/2)) / a².
    disk = 0.8 * 0.25
    spheres = [r**3 - (r**2 - disk**2) ** 1.5 for r in (0.25, 0.42)]
    assert core[1] == pytest.approx(0.5 * spheres[0] / spheres[1], rel=2e-3)


def test_phases_do_not_meet(phantom):
    core, shell = phantom.phases.values
    assert not (core & shell).any()
    assert (phantom.particle.values[core]).all()
    assert phantom.phases.dtype == bool
    assert length_unit(phantom.phases) == "Å"


def test_noise_is_poisson_and_as_strong_as_asked(phantom):
    given = measure(phantom, 20, 5, np.random.default_rng(1))
    assert relative_error(given.maps, given.truth) == pytest.approx(1.12 / 5, rel=0.02)
    inside = phantom.particle.values
    assert given.haadf.values[inside].mean() == pytest.approx(400, rel=2e-3)
    scatter = ((given.maps - given.truth) ** 2).values[:, inside].sum()
    assert scatter == pytest.approx(given.truth.values.sum(), rel=0.02)
    assert (given.haadf.values[~inside] == 0).all()


def test_noise_repeats_with_its_generator():
    phantom = core_shell("textured", pixels=64)
    once, again, other = (measure(phantom, 10, 2, np.random.default_rng(n)) for n in (7, 7, 8))
    assert np.array_equal(once.maps, again.maps)
    assert np.array_equal(once.haadf, again.haadf)
    assert not np.array_equal(once.maps, other.maps)


@pytest.mark.parametrize(
    ("kind", "snrs", "width_px", "known"),
    [
        ("smooth", (10, 2), 3.6, 0.058),
        ("smooth", (20, 5), 2.4, 0.037),
        ("textured", (10, 2), 1.9, 0.112),
        ("textured", (20, 5), 1.25, 0.068),
        ("atomic", (10, 2), 1.0, 0.202),
    ],
)
def test_a_gaussian_filter_does_as_well_as_when_the_snr_was_defined(kind, snrs, width_px, known):
    given = measure(core_shell(kind), *snrs, np.random.default_rng(1))
    filtered = [gaussian_filter(counts, width_px) for counts in given.maps.values]
    assert relative_error(filtered, given.truth) == pytest.approx(known, abs=0.002)


@pytest.mark.parametrize("snr", [2, 5])
def test_the_snr_is_about_the_root_of_the_counts_of_cobalt(snr):
    phantom = core_shell("smooth")
    counts = measure(phantom, 10, snr, np.random.default_rng(0)).truth.sel(element="Co")
    assert np.sqrt(counts.where(phantom.particle).mean()) == pytest.approx(snr, rel=0.05)


def test_films_of_gallium_oxide_are_flat_and_framed():
    phantom = gallium_oxide(pixels=64)
    assert phantom.fractions(phantom.amounts).values == pytest.approx(np.array([[0.4, 0.6]]))
    assert not phantom.particle.values[[0, 7, -1, -8]].any()
    assert phantom.particle.values[8:56, 8:56].all()
    assert np.unique(phantom.haadf.values[8:56, 8:56]).size == 1
    counted = measure(phantom, 20, 5, np.random.default_rng(0)).maps
    assert phantom.fractions(counted).sel(element="Ga").item() == pytest.approx(0.4, abs=0.004)


@given(snr=st.floats(0.1, 100), factor=st.floats(1.1, 10))
def test_dose_is_the_square_of_the_chemical_snr(snr, factor):
    phantom = gallium_oxide(pixels=32)
    ratio = counts_per_amount(phantom, snr * factor) / counts_per_amount(phantom, snr)
    assert ratio == pytest.approx(factor**2)


@given(snr=st.one_of(st.floats(max_value=0), st.just(float("nan")), st.just(float("inf"))))
def test_an_snr_that_cannot_be_is_refused(snr):
    phantom = gallium_oxide(pixels=32)
    with pytest.raises(SpecimenError, match="positive"):
        measure(phantom, snr, 5, np.random.default_rng(0))
    with pytest.raises(SpecimenError, match="positive"):
        measure(phantom, 5, snr, np.random.default_rng(0))


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(SpecimenError, match=r"'rough'.*textured"):
        core_shell("rough")
    with pytest.raises(SpecimenError, match="at least 32"):
        core_shell(pixels=8)
    with pytest.raises(SpecimenError, match="at least 32"):
        gallium_oxide(pixels=8)
