import json

import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.degradation import degrade, read_chain
from crewe.errors import CalibrationError, ImageError

VALUES = np.random.default_rng(0).uniform(0.5, 1, (40, 50)).astype(np.float32)
IMAGE = calibrated_image(VALUES, 0.2, attrs={"title": "a lattice"})


def test_coordinates_and_attrs_are_kept_and_the_history_is_plain():
    noisy = degrade(IMAGE, "hrstem", 1)
    assert noisy.dims == IMAGE.dims
    assert noisy.x.equals(IMAGE.x)
    assert noisy.x.attrs["units"] == "Å"
    assert noisy.attrs["title"] == "a lattice"
    assert "degradation" not in IMAGE.attrs
    assert np.array_equal(IMAGE.values, VALUES)
    effects = {one["effect"]: one for one in json.loads(json.dumps(noisy.attrs["degradation"]))}
    assert effects["dose"]["mean_electrons_per_pixel"] >= 0.5
    assert not {"crop", "annotations", "count_scale"} & set(effects)


def test_the_pixel_size_comes_from_the_coordinates():
    chain = {"instrument": [{"effect": "scan_jitter", "parameters": {"sigma_x_angstrom": 0.1}}]}
    fine, coarse = (degrade(calibrated_image(VALUES, size), chain, 2) for size in (0.05, 5.0))
    assert fine.attrs["degradation"][0]["pixel_size_angstrom"] == pytest.approx(0.05)
    assert np.abs(fine - IMAGE.values).mean() > 10 * np.abs(coarse - IMAGE.values).mean()


def test_post_processing_is_asked_for():
    noisy = degrade(IMAGE, read_chain("hrtem"), 3, post_process=True)
    assert noisy.attrs["degradation"][-1]["effect"] == "count_scale"
    assert float(noisy.max()) >= 20000


def test_a_seed_repeats_the_image():
    assert degrade(IMAGE, "lrsem", 4).equals(degrade(IMAGE, "lrsem", 4))
    assert not degrade(IMAGE, "lrsem", 4).equals(degrade(IMAGE, "lrsem", 5))


@pytest.mark.parametrize(
    ("image", "error", "said"),
    [
        (calibrated_image(VALUES, 1.0, unit="px"), CalibrationError, "px, not Å"),
        (calibrated_image(VALUES, (0.2, 0.3)), CalibrationError, "not square"),
        (VALUES, ImageError, "calibrated"),
        (calibrated_image(np.ones((20, 20)), 0.2), ImageError, "nothing was recorded"),
    ],
)
def test_images_that_do_not_fit_are_refused(image, error, said):
    with pytest.raises(error, match=said):
        degrade(image, "hrstem", 0)
