import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from crewe.errors import ImageError
from crewe.networks.likeness import WORDS, features, unlike


def lattice(period=12.0, shape=(256, 256), level=30.0, seed=0):
    """A square lattice of `period` pixels with shot noise."""
    y, x = np.indices(shape)
    wave = 2 + np.cos(2 * np.pi * y / period) + np.cos(2 * np.pi * x / period)
    return np.random.default_rng(seed).poisson(level * wave / 2).astype(np.float64)


def white(shape=(256, 256), seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_every_feature_has_words_and_every_word_a_feature():
    assert set(features(lattice())) == set(WORDS)


@pytest.mark.parametrize(("factor", "offset"), [(3.7, 0.0), (1e-20, 0.0), (1.0, 900.0), (1e9, 5e9)])
def test_features_do_not_know_the_unit(factor, offset):
    one, other = features(lattice()), features(factor * lattice() + offset)
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=1e-3, abs=1e-3), name


def test_features_hardly_depend_on_the_size_of_the_field():
    small, large = features(lattice()), features(lattice(shape=(1024, 700), seed=1))
    for name in WORDS:
        assert large[name] == pytest.approx(small[name], rel=0.1, abs=0.03), name


def test_white_noise_is_what_theory_says():
    found = features(white())
    # The disc of radius 0.25 is π/16 of the square of side 1.
    assert found["noise_share"] == pytest.approx(1 - np.pi / 16, abs=0.01)
    assert found["along_line_correlation"] == pytest.approx(0, abs=0.02)
    assert found["line_to_line_correlation"] == pytest.approx(0, abs=0.02)
    assert found["line_jumps"] == pytest.approx(1 / 256, rel=0.3)
    assert found["skewness"] == pytest.approx(0, abs=0.05)
    assert found["kurtosis"] == pytest.approx(0, abs=0.1)
    assert found["outliers"] == 0


@pytest.mark.parametrize("period", [6.0, 12.0, 24.0])
def test_structure_has_the_period_of_the_lattice(period):
    assert features(lattice(period))["structure_px"] == pytest.approx(period, rel=0.25)


def test_more_dose_means_less_noise():
    shares = [features(lattice(level=level))["noise_share"] for level in (1.0, 10.0, 100.0, 1000.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.3
    assert shares[-1] < 0.01


def test_lines_that_move_as_a_whole_are_seen_as_such():
    rows = white(seed=1)[:, :1]
    assert features(np.broadcast_to(rows, (256, 256)))["line_jumps"] == pytest.approx(1)
    assert features(white() + rows)["line_jumps"] == pytest.approx(0.5, abs=0.1)


def test_smearing_along_the_line_shows_along_the_line():
    found = features(ndimage.uniform_filter1d(white(), 3, axis=1))
    assert found["along_line_correlation"] == pytest.approx(2 / 3, abs=0.03)
    assert found["line_to_line_correlation"] == pytest.approx(0, abs=0.03)


def test_stripes_have_one_direction_and_a_lattice_has_none():
    x = np.broadcast_to(np.arange(256), (256, 256))
    assert features(np.cos(x / 3))["anisotropy"] > 0.95
    assert features(lattice(level=1000))["anisotropy"] < 0.05


def test_saturation_and_spikes_are_counted():
    clipped = np.minimum(lattice(level=100), 120)
    assert features(clipped)["at_ceiling"] == pytest.approx(np.mean(clipped == 120))
    spiked = lattice(level=100)
    spiked[::16, ::16] = 1e4
    assert features(spiked)["outliers"] == pytest.approx(1 / 256, rel=0.15)


def test_missing_pixels_do_not_count():
    whole = lattice(level=100)
    holed = whole.copy()
    holed[100:110, 50:70] = np.nan
    holed[3, 4] = np.inf
    one, other = features(whole), features(holed)
    for name in WORDS:
        assert other[name] == pytest.approx(one[name], rel=0.1, abs=0.05), name


def test_blocks_without_measurement_do_not_count():
    half = np.full((512, 512), np.nan)
    half[:256, :256] = lattice(level=100)
    one, other = features(lattice(level=100)), features(half)
    for name in WORDS:
        assert other[name] == pytest.approx(one[name], rel=0.05, abs=0.02), name


def test_what_is_like_the_training_inputs_is_not_spoken_of():
    found = features(lattice())
    ranges = {name: (value - 0.1, value + 0.1) for name, value in found.items()}
    assert unlike(found, ranges) == []
    assert unlike(found, {**ranges, "colour": (0.0, 1.0)}) == []


def test_what_is_unlike_is_said_with_its_number_and_the_range():
    ranges = {"noise_share": (0.01, 0.2), "structure_px": (5.0, 60.0), "line_jumps": (0.0, 0.1)}
    (noisier,) = unlike(features(lattice(level=0.5)), ranges)
    assert noisier.startswith("it is noisier (noise share 0.")
    assert "trained on 0.01 to 0.2" in noisier
    (finer,) = unlike({"structure_px": 2.2}, ranges)
    assert finer == "its structure is finer (structure px 2.2, trained on 5 to 60)"


def test_a_hair_outside_is_not_worth_a_word():
    assert unlike({"skewness": 1.05}, {"skewness": (0.0, 1.0)}) == []
    assert len(unlike({"skewness": 1.15}, {"skewness": (0.0, 1.0)})) == 1
    # The end of a wide range is kept to its own size.
    assert len(unlike({"structure_px": 3.0}, {"structure_px": (5.0, 200.0)})) == 1


def test_fewer_defects_than_in_training_are_no_reason():
    perfect = {"at_ceiling": 0.0, "at_floor": 0.0, "outliers": 0.0, "line_jumps": 0.0}
    assert unlike(perfect, dict.fromkeys(perfect, (0.1, 0.2))) == []
    assert len(unlike(dict.fromkeys(perfect, 0.9), dict.fromkeys(perfect, (0.1, 0.2)))) == 4


@pytest.mark.parametrize("shape", [(7, 100), (5,), (3, 32, 32), (0, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ImageError, match="shape"):
        features(np.zeros(shape))


def test_an_image_without_measurement_is_refused():
    with pytest.raises(ImageError, match="no finite pixel"):
        features(np.full((20, 20), np.nan))


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=24),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_any_image_has_finite_features(image):
    assert all(np.isfinite(value) for value in features(image).values())
