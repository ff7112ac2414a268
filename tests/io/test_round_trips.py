"""Write, read, compare: an axis that is turned or lost cannot pass."""

import json

import numpy as np
import pytest
import xarray as xr

from crewe.axes import Axis, calibrated_array, calibrated_image, sampling, with_sampling
from crewe.errors import WriteError
from crewe.io import list_signals, read, read_image, write
from crewe.io.picture import bar_length
from crewe.testing.phantoms import asymmetric_phantom

SHAPES = [(7, 11), (5, 7, 11), (3, 5, 7, 11)]
OWN_ATTRS = ("source", "format", "signal")


def without_origin(array):
    kept = {key: value for key, value in array.attrs.items() if key not in OWN_ATTRS}
    return array.drop_attrs(deep=False).assign_attrs(kept)


@pytest.mark.parametrize("suffix", [".hspy", ".h5", ".zarr", ".npz", ".tif"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lazy", [False, True])
def test_everything_survives(tmp_path, suffix, shape, lazy):
    phantom = asymmetric_phantom(shape)
    path = tmp_path / f"phantom{suffix}"
    if suffix == ".tif" and len(shape) == 4:
        with pytest.raises(WriteError, match=r"use \.zarr"):
            write(path, phantom)
        assert not list(tmp_path.iterdir())
        return
    write(path, phantom.chunk() if lazy else phantom)
    back = read(path)
    xr.testing.assert_identical(without_origin(back), phantom)
    assert back.dtype == phantom.dtype
    info = list_signals(path)[0]
    assert info.shape == shape
    assert info.nbytes == phantom.nbytes


@pytest.mark.parametrize("shape", SHAPES)
def test_npy_keeps_pixels_and_their_order(tmp_path, shape):
    phantom = asymmetric_phantom(shape)
    write(tmp_path / "p.npy", phantom)
    back = read(tmp_path / "p.npy")
    assert back.dims == phantom.dims
    assert np.array_equal(back, phantom)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "float32", "float64"])
@pytest.mark.parametrize("suffix", [".tif", ".hspy", ".npz", ".zarr"])
def test_counts_keep_their_type(tmp_path, dtype, suffix):
    image = asymmetric_phantom((9, 13)).astype(dtype)
    write(tmp_path / f"c{suffix}", image)
    back = read(tmp_path / f"c{suffix}")
    assert back.dtype == image.dtype
    assert np.array_equal(back, image)


@pytest.mark.parametrize("suffix", [".hspy", ".npz", ".zarr"])
def test_complex_waves_survive(tmp_path, suffix):
    wave = asymmetric_phantom((7, 11)).astype(complex) * 1j
    write(tmp_path / f"w{suffix}", wave)
    assert np.array_equal(read(tmp_path / f"w{suffix}"), wave)


def test_complex_waves_do_not_fit_a_tiff(tmp_path):
    with pytest.raises(WriteError, match="complex128"):
        write(tmp_path / "w.tif", asymmetric_phantom((7, 11)).astype(complex))


@pytest.mark.parametrize(("unit", "fiji"), [("Å", "nm"), ("1/Å", "1/nm"), ("px", "pixel")])
def test_fiji_sees_a_calibrated_tiff(tmp_path, unit, fiji):
    import tifffile

    image = with_sampling(asymmetric_phantom((9, 13)), (0.5, 0.25), unit)
    write(tmp_path / "f.tif", image)
    with tifffile.TiffFile(tmp_path / "f.tif") as file:
        assert file.is_imagej
        assert file.imagej_metadata["unit"] == fiji
        tag = file.pages.first.tags["XResolution"].value
    pixel = {"Å": 0.025, "1/Å": 2.5, "px": 1.0}[unit]
    assert tag[1] / tag[0] == pytest.approx(pixel)
    assert sampling(read(tmp_path / "f.tif")) == (0.5, 0.25)


def test_a_view_of_single_rows_and_one_pixel_survives(tmp_path):
    phantom = asymmetric_phantom((5, 7, 11))
    for i, part in enumerate((phantom[:1], phantom[:, :1], phantom[..., :1], phantom[2, :1])):
        for suffix in (".hspy", ".zarr", ".npz", ".tif"):
            write(tmp_path / f"{i}{suffix}", part)
            back = read(tmp_path / f"{i}{suffix}")
            assert back.shape == part.shape, (i, suffix)
            assert sampling(back) == sampling(part)


def test_a_picture_has_a_scale_bar_and_states_its_stretch(tmp_path):
    from PIL import Image

    image = calibrated_image(np.zeros((200, 300)) + np.arange(300), 0.2)
    write(tmp_path / "p.png", image)
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.mode == "L"
        assert "percentile 0.1" in picture.text["Grey levels"]
        assert "0.2 Å" in picture.text["Pixel size"]
        pixels = np.asarray(picture)
    # 60 Å wide: the bar is 10 Å, 50 pixels.
    assert (pixels[-7][:100] == 255).sum() == 50
    assert np.all(np.diff(pixels[0].astype(int)) >= 0)


@pytest.mark.parametrize(("width", "bar"), [(60, 10), (100, 20), (51, 10), (24, 2), (0.07, 0.01)])
def test_bars_are_round(width, bar):
    assert bar_length(width) == pytest.approx(bar)


def test_metadata_travel_as_plain_values(tmp_path):
    image = asymmetric_phantom((9, 13))
    image.attrs = {"seed": np.int64(3), "note": "µ Å", "nest": {"a": [1, 2.5, None]}}
    for suffix in (".hspy", ".zarr", ".npz", ".tif"):
        write(tmp_path / f"m{suffix}", image)
        attrs = without_origin(read(tmp_path / f"m{suffix}")).attrs
        assert attrs == {"seed": 3, "note": "µ Å", "nest": {"a": [1, 2.5, None]}}
        json.dumps(attrs)


@pytest.mark.parametrize("obj", [np.zeros((9, 9)), "text", None])
def test_only_nouns_are_written(tmp_path, obj):
    with pytest.raises(WriteError, match="give a DataArray"):
        write(tmp_path / "a.tif", obj)


def test_an_unknown_suffix_is_named(tmp_path):
    with pytest.raises(WriteError, match=r"'\.bmp'"):
        write(tmp_path / "a.bmp", asymmetric_phantom((9, 13)))


def test_large_arrays_stay_lazy(tmp_path):
    big = xr.DataArray(np.zeros((40, 512, 512)), dims=("frame", "y", "x"))
    write(tmp_path / "big.zarr", big.chunk({"frame": 1}))
    back = read(tmp_path / "big.zarr")
    assert hasattr(back.data, "dask")
    image = read_image(tmp_path / "big.zarr", frame=7)
    assert not hasattr(image.data, "dask")


def test_a_large_tiff_is_read_page_by_page(tmp_path):
    pages = np.arange(40, dtype=np.float64)[:, None, None] * np.ones((512, 512))
    stack = xr.DataArray(pages, dims=("frame", "y", "x"))
    write(tmp_path / "big.tif", stack)
    back = read(tmp_path / "big.tif")
    assert back.chunks[0] == (1,) * 40
    assert float(back[7, 3, 4]) == 7
    assert np.array_equal(read_image(tmp_path / "big.tif", frame=39), pages[39])


@pytest.mark.parametrize("chunks", [(3, 7, 5, 9), (7, 9, 16, 3), (1, 5, 16, 16)])
def test_lazy_arrays_of_any_chunks_are_written_to_zarr(chunks, tmp_path):
    import dask
    import dask.array

    values = np.arange(9 * 17 * 16 * 16, dtype=np.uint16).reshape(9, 17, 16, 16)
    lazy = dask.array.from_array(values, chunks=chunks)
    axes = [Axis(name) for name in ("y", "x", "ky", "kx")]
    with dask.config.set({"array.chunk-size": "20KiB"}):
        write(tmp_path / "set.zarr", calibrated_array(lazy, axes))
    np.testing.assert_array_equal(read(tmp_path / "set.zarr"), values)
