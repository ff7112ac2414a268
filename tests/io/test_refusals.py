"""Wrong extensions, wrong files, files that lie: what is said about them."""

import struct

import numpy as np
import pytest

from crewe.axes import length_unit, sampling
from crewe.errors import ImageError, ReadError
from crewe.io import list_signals, read, read_image, write
from crewe.testing.phantoms import asymmetric_phantom


@pytest.mark.parametrize("suffix", [".tif", ".hspy", ".npz", ".npy", ".png"])
def test_the_content_decides_not_the_extension(tmp_path, suffix):
    image = asymmetric_phantom((9, 13))
    write(tmp_path / f"a{suffix}", image)
    (tmp_path / f"a{suffix}").rename(tmp_path / "a.dm3")
    assert read(tmp_path / "a.dm3").shape == image.shape


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tif", b"", "empty"),
        ("a.tif", b"PK\x03\x04" + b"x" * 50, "zip archive"),
        ("a.dm3", b"%PDF-1.7 text", "PDF"),
        ("a.png", b"GIF89a....", "GIF"),
        ("a.zspy", b"PK\x03\x04", "save it as .hspy"),
        ("a.csv", b"x,y\n1,2\n", "read_table"),
        ("a.cif", b"data_Au", "read_atoms"),
        ("a.xyz_", b"3\n\nAu 0 0 0", "no image format"),
        ("a.dm3", b"not a dm3 file at all", "DigitalMicrograph"),
    ],
)
def test_what_is_no_image_is_called_by_its_name(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    for action in (read, list_signals, read_image):
        with pytest.raises(ReadError, match=message) as caught:
            action(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        read(tmp_path / "none.tif")
    with pytest.raises(ReadError, match="a folder"):
        read(tmp_path)
    (tmp_path / "a.zspy").mkdir()
    with pytest.raises(ReadError, match="zspy is not supported"):
        read(tmp_path / "a.zspy")
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(ReadError, match="truncated, damaged or not a zarr"):
        read(tmp_path / "a.zarr")


def test_a_header_that_claims_too_much_allocates_nothing(tmp_path):
    write(tmp_path / "a.npy", asymmetric_phantom((9, 13)))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content.replace(b"(9, 13)", b"(9000000, 130000)"))
    with pytest.raises(ReadError):
        read(tmp_path / "a.npy")
    mrc = bytearray(1024 + 16)
    struct.pack_into("<4i", mrc, 0, 100_000, 100_000, 100, 2)
    mrc[208:216] = b"MAP DD\0\0"
    (tmp_path / "a.mrc").write_bytes(mrc)
    with pytest.raises(ReadError, match="claims 4,000,000,000,000 bytes"):
        read(tmp_path / "a.mrc")


def test_a_sparse_hdf5_stays_lazy_and_is_not_loaded(tmp_path):
    import h5py

    with h5py.File(tmp_path / "sparse.h5", "w") as file:
        file.create_dataset("x", shape=(100_000, 100_000), dtype="f8", chunks=(100, 100))
    assert read(tmp_path / "sparse.h5").nbytes == 80_000_000_000
    with pytest.raises(ReadError, match="75 GiB"):
        read_image(tmp_path / "sparse.h5")


def test_a_damaged_text_heap_does_not_hang_the_hdf5_library(tmp_path):
    write(tmp_path / "a.hspy", asymmetric_phantom((9, 13)))
    content = bytearray((tmp_path / "a.hspy").read_bytes())
    heap = content.index(b"GCOL")
    # The number of the second object: its predecessor's again.
    (length,) = struct.unpack_from("<Q", content, heap + 24)
    second = heap + 32 + length + -length % 8
    content[second] = content[heap + 16]
    (tmp_path / "a.hspy").write_bytes(content)
    with pytest.raises(ReadError, match="does not add up"):
        read(tmp_path / "a.hspy")


def test_big_endian_mrc_is_not_read_with_swapped_bytes(tmp_path):
    mrc = bytearray(1024 + 18)
    struct.pack_into(">4i", mrc, 0, 3, 3, 1, 1)
    mrc[208:216] = b"MAP \x11\x11\0\0"
    (tmp_path / "b.mrc").write_bytes(mrc)
    with pytest.raises(ReadError, match="big-endian"):
        read(tmp_path / "b.mrc")


def picture(path, data, **options):
    from PIL import Image

    Image.fromarray(data).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_grey_picture_in_colour_is_grey(tmp_path, suffix):
    grey = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    path = picture(tmp_path / f"g{suffix}", np.stack([grey] * 3, axis=-1))
    assert np.array_equal(read(path), grey)
    assert read_image(path).dims == ("y", "x")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_coloured_picture_is_refused(tmp_path, suffix):
    colours = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    path = picture(tmp_path / f"c{suffix}", colours)
    with pytest.raises(ImageError, match="coloured"):
        read(path)
    assert list_signals(path)[0].dims == ("y", "x", "channel")


def test_sixteen_bit_pictures_keep_their_counts(tmp_path):
    counts = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30) * 100
    assert np.array_equal(read(picture(tmp_path / "s.png", counts)), counts)


def tagged(path, resolution, unit, **options):
    import tifffile

    data = np.zeros((9, 13), np.uint8)
    tifffile.imwrite(path, data, resolution=resolution, resolutionunit=unit, **options)
    return read(path)


@pytest.mark.parametrize("dpi", [72, 300])
def test_a_print_resolution_is_no_calibration(tmp_path, dpi):
    image = tagged(tmp_path / "t.tif", (dpi, dpi), "INCH")
    assert (length_unit(image), sampling(image)) == ("px", (1.0, 1.0))


def test_a_fine_resolution_is_one(tmp_path):
    # 1e9 px per cm along x is a pixel of 0.1 Å; y has half of that.
    image = tagged(tmp_path / "t.tif", (1e9, 5e8), "CENTIMETER", metadata=None)
    assert sampling(image) == pytest.approx((0.2, 0.1))


@pytest.mark.parametrize(("unit", "factor"), [("nm", 10), ("micron", 1e4), ("\\u00B5m", 1e4)])
def test_the_unit_of_imagej_is_understood_for_both_axes(tmp_path, unit, factor):
    text = f"ImageJ=1.53k\nunit={unit}\n"
    image = tagged(tmp_path / "t.tif", (50, 25), "NONE", metadata=None, description=text)
    assert sampling(image) == pytest.approx((factor / 25, factor / 50))
    assert length_unit(image) == "Å"


def test_matlab_7_3_files_are_turned_back(tmp_path):
    import h5py

    image = asymmetric_phantom((9, 13)).values
    with h5py.File(tmp_path / "v73.mat", "w", userblock_size=512) as file:
        file["input/obs"] = image.T
        file["input/dx"] = [[0.25]]
    with (tmp_path / "v73.mat").open("r+b") as handle:
        handle.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(128))
    back = read(tmp_path / "v73.mat")
    assert np.array_equal(back, image)
    assert sampling(back) == (0.25, 0.25)
    assert back.attrs["signal"] == "input.obs"


def test_matlab_level_5_agrees_with_scipy(tmp_path):
    from scipy.io import savemat

    wave = asymmetric_phantom((9, 13)).values * (1 + 2j)
    contents = {
        "wave": wave,
        "mask": wave.real > 9,
        "note": "text",
        "deep": {"in": {"a": wave.imag}},
    }
    for compressed in (False, True):
        savemat(tmp_path / "m.mat", contents, do_compression=compressed)
        assert np.array_equal(read(tmp_path / "m.mat", "wave"), wave)
        assert np.array_equal(read(tmp_path / "m.mat", "mask"), wave.real > 9)
        assert np.array_equal(read(tmp_path / "m.mat", "deep.in.a"), wave.imag)


def test_pickles_are_never_opened(tmp_path):
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", a=np.array([{}], dtype=object))
    for name in ("o.npy", "o.npz"):
        with pytest.raises(ReadError):
            read(tmp_path / name)
