import numpy as np
import pytest

from crewe.simulation.convolve import apply_radial, axis_weights, padded_grid, read_image, transform
from crewe.simulation.deposit import deposit


@pytest.mark.parametrize(
    ("pixel", "pitch", "stride", "zoom"),
    [(0.1, 0.1, 1, 1), (0.3, 0.1, 3, 1), (0.25, 0.1, 3, 1), (0.03, 0.1, 1, 3), (0.9, 0.91, 1, 1)],
)
def test_the_grid_is_at_most_as_coarse_as_asked_and_meets_the_pixels(pixel, pitch, stride, zoom):
    grid = padded_grid((40, 50), pixel, pitch, 2.0)
    assert (grid.stride, grid.zoom) == (stride, zoom)
    assert grid.pitch_angstrom == pytest.approx(pixel * zoom / stride)
    assert grid.pitch_angstrom <= pitch * (1 + 1e-6)
    assert grid.margin % stride == 0
    for points, pixels in zip(grid.shape, (40, 50), strict=True):
        beyond = points * grid.pitch_angstrom - pixels * pixel + grid.origin_angstrom[0]
        assert beyond >= 2.0 - 1e-9
    assert grid.origin_angstrom[0] <= -2.0


@pytest.mark.parametrize(("pixel", "pitch"), [(0.1, 0.1), (0.5, 0.12), (0.03, 0.12)])
def test_a_gaussian_transfer_gives_a_gaussian_at_the_pixels(pixel, pitch):
    sigma, shape = 0.4, (30, 41)
    grid = padded_grid(shape, pixel, pitch, 3.0)
    y, x = 0.431 * shape[0] * pixel, 0.612 * shape[1] * pixel
    place = np.array([[y, x]]) / grid.pitch_angstrom + grid.margin
    spectrum = transform(deposit(place, None, grid.shape)[None])
    k = np.arange(2000) * 0.005
    table = np.exp(-2 * (np.pi * 0.3 * k) ** 2)[None] / grid.pitch_angstrom**2
    blur = np.sqrt(sigma**2 - 0.3**2)
    image = read_image(apply_radial(spectrum, table, 0.005, grid, blur), grid, shape)
    rows, columns = np.indices(shape) * pixel
    r2 = (rows - y) ** 2 + (columns - x) ** 2
    expected = np.exp(-r2 / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    assert np.abs(image - expected).max() < 1e-3 * expected.max()


def test_channels_add_up_each_with_its_own_transfer():
    rng = np.random.default_rng(1)
    grid = padded_grid((20, 20), 0.2, 0.2, 1.0)
    grids = rng.random((3, *grid.shape)).astype(np.float32)
    tables = rng.random((3, 300))
    together = apply_radial(transform(grids.copy()), tables, 0.02, grid)
    apart = sum(
        apply_radial(transform(g[None].copy()), t[None], 0.02, grid)
        for g, t in zip(grids, tables, strict=True)
    )
    assert np.allclose(together, apart, rtol=1e-4, atol=1e-3)


def test_weights_are_one_at_zero_frequency():
    grid = padded_grid((20, 20), 0.2, 0.2, 1.0)
    along_y, along_x = axis_weights(grid, 0.3)
    assert along_y[0] == along_x[0] == 1
    assert along_y.shape == (grid.shape[0],)
    assert along_x.shape == (grid.shape[1] // 2 + 1,)
