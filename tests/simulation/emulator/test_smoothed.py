import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from crewe.errors import CalibrationError, ImageError
from crewe.simulation.emulator.smoothed import PLAIN_KINDS, SCALED_KINDS, Smoothed

SCALE = 3.0
KNOWN = [[kind] for kind in PLAIN_KINDS + SCALED_KINDS]
ALL = tuple(f"{kind} 3" for kind in SCALED_KINDS)


def _image(shape=(48, 55)):
    rng = np.random.default_rng(7)
    image = ndimage.gaussian_filter(rng.uniform(0, 1, shape), 2)
    return ((image - image.min()) / image.std() - 1e-9).astype(np.float32)


def _blur(image, order=(0, 0)):
    return ndimage.gaussian_filter(image, SCALE, order=order, mode="constant", truncate=5)


def test_each_kind_is_its_formula():
    image = _image()
    l = np.maximum(image.astype(float), 0)  # noqa: E741
    gy, gx = _blur(l, (1, 0)), _blur(l, (0, 1))
    yy, xx, yx = _blur(l, (2, 0)), _blur(l, (0, 2)), _blur(l, (1, 1))
    expected = {
        "smooth": _blur(l),
        "square": np.sqrt(_blur(l**2)),
        "cube": np.cbrt(_blur(l**3)),
        "root": _blur(np.sqrt(l)) ** 2,
        "spread": np.sqrt(_blur(l**2) - _blur(l) ** 2),
        "gradient": SCALE * np.hypot(gy, gx),
        "laplacian": SCALE**2 * (yy + xx),
        "shear": SCALE**2 * np.hypot(yy - xx, 2 * yx),
    }
    planes = dict(zip(SCALED_KINDS, Smoothed(ALL).planes(image), strict=True))
    for kind, plane in planes.items():
        # second derivatives lack what lies beyond 4 σ
        bound = 1e-2 if kind in ("laplacian", "shear") else 1e-3
        assert np.abs(plane - expected[kind]).max() < bound * np.abs(expected[kind]).max(), kind


def test_plain_kinds_are_the_pixel_itself():
    image = _image()
    intensity, log = Smoothed(("intensity", "log")).planes(image)
    assert np.array_equal(intensity, image)
    assert np.allclose(log, np.log(np.maximum(image, 1e-4)), atol=1e-5)


@pytest.mark.parametrize("turned", [lambda a: np.rot90(a, axes=(-2, -1)), np.flip])
def test_turning_the_specimen_turns_the_features(turned):
    image = _image()
    features = Smoothed(("intensity", "log", *ALL))
    here = features.planes(image)
    there = features.planes(turned(image))
    assert np.allclose(there, [turned(plane) for plane in here], atol=2e-5 * np.abs(here).max())


def test_a_constant_image_away_from_the_border_has_no_slopes():
    planes = Smoothed(ALL).planes(np.full((60, 60), 2.0))
    inner = dict(zip(SCALED_KINDS, planes[:, 20:40, 20:40], strict=True))
    for kind in ("smooth", "square", "cube", "root"):
        assert np.allclose(inner[kind], 2, atol=1e-5), kind
    for kind in ("gradient", "laplacian", "shear"):
        assert np.abs(inner[kind]).max() < 1e-4, kind
    # a difference of two nearly equal numbers: the root of their rounding
    assert inner["spread"].max() < 5e-3


def test_power_means_rise_with_their_power_and_scale_with_the_image():
    image = _image()
    features = Smoothed(("root 3", "smooth 3", "square 3", "cube 3"))
    planes = features.planes(image)[:, 15:-15, 15:-15]
    assert (np.diff(planes, axis=0) > -1e-5).all()
    doubled = features.planes(2 * image)[:, 15:-15, 15:-15]
    assert np.allclose(doubled, 2 * planes, rtol=1e-5)


def test_vacuum_around_the_image_changes_nothing():
    image = _image((20, 22))
    features = Smoothed((*ALL, "smooth 1"))
    reach = features.reach_px
    assert reach == 12
    wide = features.planes(np.pad(image, reach))
    inner = wide[:, reach:-reach, reach:-reach]
    assert np.allclose(features.planes(image), inner, atol=1e-4)


def test_pixels_beyond_the_reach_do_not_count():
    features = Smoothed((*ALL, "gradient 2.2"))
    image = np.zeros((41, 41), dtype=np.float32)
    dark = features.planes(image)
    image[20, 20] = 1
    changed = np.abs(features.planes(image) - dark).max(axis=0) > 0
    reach = features.reach_px
    assert changed[20 - reach, 20]
    changed[20 - reach : 21 + reach, 20 - reach : 21 + reach] = False
    assert not changed.any()


def test_names_carry_the_unit():
    features = Smoothed(("log", "smooth 4", "cube 2.50"))
    assert features.names == ("log", "smooth 4 px", "cube 2.5 px")
    assert features.reach_px == 16
    assert Smoothed(("intensity",)).reach_px == 0


@given(st.text().filter(lambda text: text.split()[:1] not in KNOWN))
def test_unknown_kinds_are_refused_with_the_known_ones(kind):
    with pytest.raises(CalibrationError, match="'intensity', 'log'"):
        Smoothed((kind,))


@pytest.mark.parametrize("kind", ["log 4", "intensity 1", "smooth", "smooth 4 px", "Smooth 4"])
def test_kinds_with_too_few_or_many_words_are_refused(kind):
    with pytest.raises(CalibrationError, match="'intensity', 'log'"):
        Smoothed((kind,))


@pytest.mark.parametrize("width", ["0", "-1", "nan", "inf", "wide"])
def test_widths_that_are_not_positive_are_refused(width):
    with pytest.raises(CalibrationError, match="positive width in pixels"):
        Smoothed((f"shear {width}",))


def test_no_or_repeated_kinds_and_bad_images_are_refused():
    with pytest.raises(CalibrationError, match="at least one"):
        Smoothed(())
    with pytest.raises(CalibrationError, match="named twice"):
        Smoothed(("smooth 4", "log", "smooth 4.0"))
    with pytest.raises(ImageError, match="NaN"):
        Smoothed(("smooth 4",)).planes([[np.nan, 1]])
