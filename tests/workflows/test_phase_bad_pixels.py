import numpy as np
import pytest
import yaml
from phase_data import CENTRE, RADIUS, as_electrons, phantom, plan_of

from crewe.errors import PlanError, ReadError
from crewe.testing.timepix3_encoding import write_t3p
from crewe.workflows.observer import Recorder
from crewe.workflows.phase import make_images, run_phase

HOT, BROKEN = (3, 20), (10, 14)


@pytest.fixture(scope="module")
def patterns():
    return phantom()


@pytest.fixture
def images(patterns, tmp_path):
    """Make images of patterns with a fault; return them, the summary and the warnings."""

    def made(fault=None, **settings):
        damaged = patterns.copy() if fault is None else fault(patterns)
        np.save(tmp_path / "set.npy", damaged)
        heard = Recorder()
        given = {"methods": ("icom", "ricom", "com"), "mirrored": False, **settings}
        result = make_images(plan_of(tmp_path / "set.npy", **given), heard)
        return result, [text for kind, text in heard.heard if kind == "warning"]

    return made


def hot(patterns):
    patterns = patterns.copy()
    patterns[..., HOT[0], HOT[1]] = 4095
    return patterns


def broken(patterns):
    patterns = patterns.astype(np.float32)
    patterns[..., BROKEN[0], BROKEN[1]] = np.nan
    return patterns


def slope(one, other):
    """By how much one image is stronger than another."""
    one, other = one.values - one.values.mean(), other.values - other.values.mean()
    return float((one * other).sum() / (other * other).sum())


def test_a_pixel_without_finite_numbers_is_replaced_and_told(images):
    whole, _ = images()
    result, warnings = images(broken)
    for name in ("icom", "ricom"):
        assert slope(result.images[name], whole.images[name]) == pytest.approx(1, abs=0.03)
        assert np.isfinite(result.images[name]).all()
    assert result.summary["bad_pixels"] == {"replaced": [[10, 14]], "suspected": []}
    assert np.isfinite(result.pattern).all()
    (said,) = (text for text in warnings if "10,14" in text)
    assert said.startswith("no finite numbers, so replaced by the mean")


def test_a_hot_pixel_is_told_and_replaced_where_that_is_wanted(images):
    whole, none = images()
    assert not any("pixel" in text for text in none)
    result, warnings = images(hot)
    assert slope(result.images["icom"], whole.images["icom"]) < 0.6
    assert result.summary["bad_pixels"] == {"replaced": [], "suspected": [[3, 20]]}
    (said,) = (text for text in warnings if "detector pixel" in text)
    assert "far above all around: detector pixel 3,20;" in said
    assert "--bad-pixels auto" in said
    for wanted in ("auto", [HOT], np.array([HOT])):
        result, warnings = images(hot, bad_pixels=wanted)
        assert slope(result.images["icom"], whole.images["icom"]) == pytest.approx(1, abs=1e-2)
        assert not any("detector pixel" in text for text in warnings)
        assert result.summary["bad_pixels"]["replaced"] == [[3, 20]]


def test_dead_pixels_are_told_and_replaced(images):
    def dead(patterns):
        patterns = patterns.copy()
        patterns[..., 11, 12] = 0
        return patterns

    result, warnings = images(dead, bad_pixels="none")
    assert any("without counts: detector pixel 11,12" in text for text in warnings)
    assert images(dead, bad_pixels="auto")[0].summary["bad_pixels"]["replaced"] == [[11, 12]]
    assert result.pattern[11, 12] == 0


def test_a_mask_is_used_and_noted_whole(patterns, tmp_path):
    mask = np.zeros((24, 26), bool)
    mask[5, 7:9] = mask[20, 20] = True
    np.save(tmp_path / "set.npy", hot(patterns))
    plan = plan_of(tmp_path / "set.npy", methods=("total",), bad_pixels=mask)
    run_phase(plan)
    note = yaml.safe_load((plan.output / "phase.yaml").read_text())
    given = {"pixels": [[5, 7], [5, 8], [20, 20]], "detector_shape": [24, 26]}
    assert note["plan"]["bad_pixels"] == given
    assert note["bad_pixels"] == {"replaced": given["pixels"], "suspected": [[3, 20]]}


def test_electrons_on_bad_pixels_are_left_out_and_counted(tmp_path):
    counts = phantom(scan_shape=(12, 14), electrons=40)
    times, pixels = as_electrons(counts)
    write_t3p(tmp_path / "events.t3p", times, pixels)
    settings = {"scan": (12, 14), "dwell_time_us": 1, "centre": CENTRE, "radius_px": RADIUS}
    plan = plan_of(tmp_path / "events.t3p", methods=("total",), bad_pixels=[(11, 12)], **settings)
    result = make_images(plan)
    assert result.summary["bad_pixels"]["electrons_left_out"] == counts[..., 11, 12].sum()
    expected = counts.sum((2, 3)) - counts[..., 11, 12]
    np.testing.assert_array_equal(result.images["total"], expected)


def test_pixels_that_are_not_there_are_refused(images):
    with pytest.raises(PlanError, match="bad pixel 24,0: a detector of 24 × 26"):
        images(bad_pixels=[(24, 0)])
    with pytest.raises(PlanError, match="a mask of bad pixels of"):
        images(bad_pixels=np.zeros((26, 24), bool))
    for wrong in ("all", [(-1, 2)], np.zeros(4, bool), [(1, 2, 3)]):
        with pytest.raises(PlanError, match="bad_pixels"):
            images(bad_pixels=wrong)


def test_data_that_were_never_filled(images):
    with pytest.raises(ReadError, match="no pixel of the 1,020 patterns looked at"):
        images(lambda patterns: np.full(patterns.shape, np.nan, np.float32))
