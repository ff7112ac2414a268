import numpy as np
import pandas as pd
import pytest

from crewe import axes
from crewe.atoms import fit_columns
from crewe.atoms.regions import Region
from crewe.atoms.remove_background import estimate_background, remove_background, replace_outside
from crewe.errors import ImageError, NoColumnsError, PlanError

PIXELS, STEP, SPACING, WIDTH, HEIGHT = 160, 0.15, 1.96, 0.45, 0.04


def lattice(seed=0):
    """Columns of unequal heights, 20 % up and down over 30 Å, drawn without a background."""
    edge = (PIXELS - 1) * STEP
    ideal = np.arange(SPACING / 2, edge, SPACING)
    rng = np.random.default_rng(seed)
    x, y = (part.ravel() for part in np.meshgrid(ideal, ideal))
    x, y = x + rng.normal(0, 0.05, x.size), y + rng.normal(0, 0.05, x.size)
    height = HEIGHT * (1 + 0.2 * np.sin(2 * np.pi * x / 30))
    along, image = np.arange(PIXELS) * STEP, np.zeros((PIXELS, PIXELS))
    for x0, y0, h in zip(x, y, height, strict=True):
        rows = np.exp(-((along - y0) ** 2) / (2 * WIDTH**2))
        image += h * rows[:, None] * np.exp(-((along - x0) ** 2) / (2 * WIDTH**2))
    columns = pd.DataFrame({"x": x, "y": y, "width": WIDTH})
    return image, columns, 2 * np.pi * height * WIDTH**2


def rough_support():
    y, x = np.mgrid[:PIXELS, :PIXELS] * STEP
    waves = np.sin(2 * np.pi * x / 40) * np.cos(2 * np.pi * y / 50)
    return 0.02 + 0.02 * waves + 0.0003 * x


IMAGE, COLUMNS, SCS = lattice()
SUPPORT = rough_support()


def calibrated(values):
    return axes.calibrated_image(values, STEP, attrs={"units": "fraction of beam"})


def relative_errors(image):
    """Relative errors of the fitted cross-sections, away from the border."""
    table = fit_columns(image, COLUMNS, width="common", background="constant").columns
    edge = (PIXELS - 1) * STEP
    inner = COLUMNS[["x", "y"]].apply(lambda v: (v > 3) & (v < edge - 3)).all(axis=1)
    return (table["scs"].to_numpy() / SCS - 1)[inner.to_numpy()]


def test_cross_sections_on_a_rough_support_are_those_without_it():
    """Without noise: each within 2 % and all within 1 % of the mean, where raw they are tripled."""
    image = calibrated(IMAGE + SUPPORT)
    assert np.abs(relative_errors(image)).max() > 0.5
    cleared = relative_errors(remove_background(image))
    assert abs(cleared.mean()) < 0.005
    assert cleared.std() < 0.01
    assert np.abs(cleared).max() < 0.02


def test_the_level_is_not_that_of_a_minimum_of_noise():
    """The mean error over realisations, in units of the noise of a pixel, where minima lose 1.5."""
    electrons = 5e3 * STEP**2
    found = []
    for seed in range(6):
        counts = np.random.default_rng(seed).poisson((IMAGE + SUPPORT) * electrons)
        image = calibrated(counts / electrons)
        found.append(estimate_background(image, columns=COLUMNS).values - SUPPORT)
    pixel_noise = np.sqrt(SUPPORT.mean() / electrons)
    assert abs(np.mean(found)) < 0.05 * pixel_noise


def test_cross_sections_are_unbiased_under_noise():
    electrons = 2e4 * STEP**2
    means = []
    for seed in range(5):
        counts = np.random.default_rng(seed).poisson((IMAGE + SUPPORT) * electrons)
        image = remove_background(calibrated(counts / electrons), columns=COLUMNS)
        means.append(relative_errors(image).mean())
    assert abs(np.mean(means)) < 3 * np.std(means, ddof=1) / np.sqrt(5) + 0.003


def test_a_polynomial_background_is_taken_off_by_one_polynomial():
    y, x = np.mgrid[:PIXELS, :PIXELS] * STEP
    wedge = 0.01 + 0.002 * x + 0.00003 * y**2
    cleared = remove_background(calibrated(IMAGE + wedge), method="polynomial", columns=COLUMNS)
    assert np.abs(cleared.values - IMAGE).max() < 0.03 * HEIGHT
    assert np.abs(relative_errors(cleared)).max() < 0.005


def test_a_region_of_bare_support_needs_no_columns():
    x = np.arange(PIXELS)[None, :] * STEP
    values = 0.01 + 0.001 * x + np.where(x > 12, IMAGE, 0.0)
    bare = Region(((0.0, 0.0), (9.0, 0.0), (9.0, 23.0), (0.0, 23.0)))
    found = estimate_background(calibrated(values), method="polynomial", order=1, region=bare)
    assert np.allclose(found, np.broadcast_to(0.01 + 0.001 * x, found.shape), atol=1e-4)


def test_a_known_background_is_subtracted():
    image = calibrated(IMAGE + SUPPORT)
    other = remove_background(image, subtract=calibrated(SUPPORT))
    assert np.allclose(other, IMAGE)
    assert other.attrs == {"units": "fraction of beam", "background_removed": "another image"}
    assert np.allclose(remove_background(image, subtract=0.5), IMAGE + SUPPORT - 0.5)
    assert image.attrs == {"units": "fraction of beam"}
    with pytest.raises(ImageError, match="pixels"):
        remove_background(image, subtract=calibrated(SUPPORT[:100]))
    with pytest.raises(ImageError, match="NaN"):
        remove_background(image, subtract=np.nan)


def test_the_estimate_and_what_is_left_make_the_image():
    image = calibrated(IMAGE + SUPPORT)
    background = estimate_background(image, columns=COLUMNS)
    left = remove_background(image, columns=COLUMNS)
    assert np.allclose(background + left, image)
    assert left["x"].equals(image["x"])


def test_surroundings_are_replaced():
    image = calibrated(IMAGE + SUPPORT)
    region = Region(((3.0, 3.0), (9.0, 3.0), (9.0, 9.0), (3.0, 9.0)))
    replaced = replace_outside(image, region, 0.25)
    assert replaced.sel(x=6.0, y=6.0) == image.sel(x=6.0, y=6.0)
    assert (replaced == 0.25).sum() == PIXELS**2 - 41**2


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"method": "rolling ball"}, PlanError),
        ({"order": -1}, PlanError),
        ({"order": 9}, PlanError),
        ({"scale_angstrom": -2.0}, PlanError),
        ({"scale_angstrom": 0.5}, PlanError),
        ({"columns": COLUMNS.iloc[:2]}, NoColumnsError),
        ({"columns": COLUMNS.assign(x=np.nan)}, PlanError),
        ({"region": Region(((90.0, 90.0), (99.0, 90.0), (99.0, 99.0)))}, ImageError),
        ({"region": Region(((3.0, 3.0), (5.0, 3.0), (5.0, 5.0), (3.0, 5.0)))}, ImageError),
    ],
)
def test_what_cannot_be_done_is_refused(options, error):
    with pytest.raises(error):
        remove_background(calibrated(IMAGE + SUPPORT), **options)
