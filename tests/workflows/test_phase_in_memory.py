import numpy as np
import pytest

import crewe
from crewe.axes import Axis, calibrated_array
from crewe.errors import PlanError

SETTINGS = {"rotation_degrees": 0, "centre": (3.5, 4.5), "radius_px": 3, "kernel": 5}


@pytest.fixture
def patterns():
    return np.random.default_rng(0).poisson(2, (6, 7, 8, 10)).astype(np.uint16)


def test_files_arrays_and_calibrated_arrays_give_the_same_images(patterns, tmp_path):
    np.save(tmp_path / "set.npy", patterns)
    axes = (Axis("y", 0.2, 0, "Å"), Axis("x", 0.3, 0, "Å"), Axis("ky"), Axis("kx"))
    known = calibrated_array(patterns, axes)
    step = {**SETTINGS, "step_angstrom": (0.2, 0.3)}
    expected = crewe.phase_images(tmp_path / "set.npy", ["ricom", "bf"], **step)
    stack = patterns.reshape(-1, 8, 10)
    for data, settings in (
        (patterns, step),
        (patterns.tolist(), step),
        (stack, {**step, "scan": (6, 7)}),
        (known, SETTINGS),
        (known.chunk({"y": 2}), SETTINGS),
    ):
        images = crewe.phase_images(data, ["ricom", "bf"], **settings)
        assert images.keys() == expected.keys()
        for name, image in images.items():
            np.testing.assert_allclose(image, expected[name], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(image.x, 0.3 * np.arange(7))


def test_one_method_and_one_step_need_no_brackets(patterns):
    images = crewe.phase_images(patterns, "total", step_angstrom=0.5)
    np.testing.assert_array_equal(images["total"], patterns.sum((2, 3)))
    assert float(images["total"].y[1]) == 0.5


@pytest.mark.parametrize(
    "wrong", [{"kernal": 5}, {"dataset": "a"}, {"acceptance_us": 2.0}, {"kernel": 4}]
)
def test_what_arrays_do_not_have_is_refused(patterns, wrong):
    with pytest.raises(PlanError):
        crewe.phase_images(patterns, **wrong)
