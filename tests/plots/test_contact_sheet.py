import io

import numpy as np
import pytest
from PIL import Image

from crewe.errors import ImageError
from crewe.plots.contact_sheet import (
    FOOT,
    GAP,
    HEAD,
    TITLE,
    CaptionedImage,
    SheetRow,
    cell_pixels,
    contact_sheet,
    greys,
    magnification,
    sheet_png,
)


def drawn(*rows, **how):
    png = sheet_png(contact_sheet(rows, **how))
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def noise(shape, seed=0):
    return np.random.default_rng(seed).poisson(40, shape).astype(np.uint16)


def test_every_pixel_is_a_square_of_equal_pixels():
    small, large = noise((64, 64)), noise((256, 256), 1)
    row = SheetRow([CaptionedImage(small, "small"), CaptionedImage(large, "large")], "both")
    sheet = drawn(row)
    assert sheet.shape == (GAP + TITLE + HEAD + 256 + GAP + FOOT, 3 * GAP + 2 * 256)
    top = GAP + TITLE + HEAD
    first = sheet[top : top + 256, GAP : GAP + 256]
    np.testing.assert_array_equal(first, np.kron(greys(small), np.ones((4, 4))))
    second = sheet[top : top + 256, 2 * GAP + 256 : 2 * GAP + 512]
    np.testing.assert_array_equal(second, greys(large))


@pytest.mark.parametrize("shape", [(7, 31), (100, 100), (33, 200), (1, 1)])
def test_odd_shapes_stay_exact_and_inside(shape):
    image = noise(shape, 2)
    sheet = drawn(SheetRow([CaptionedImage(image)]))
    times = magnification(shape, cell_pixels([SheetRow([CaptionedImage(image)])]))
    expected = np.kron(greys(image), np.ones((times, times)))
    top = GAP + HEAD
    found = sheet[top : top + expected.shape[0], GAP : GAP + expected.shape[1]]
    np.testing.assert_array_equal(found, expected)


def test_no_image_grows_beyond_its_place():
    small, large = noise((100, 90)), noise((128, 128), 1)
    sheet = drawn(SheetRow([CaptionedImage(small), CaptionedImage(large)]))
    top = GAP + HEAD
    np.testing.assert_array_equal(
        sheet[top : top + 200, GAP : GAP + 180], np.kron(greys(small), np.ones((2, 2)))
    )
    assert np.all(sheet[top : top + 256, GAP + 180 : 2 * GAP + 256] == 255)


def test_long_rows_go_on_below():
    images = [CaptionedImage(noise((200, 200), seed), str(seed)) for seed in range(5)]
    sheet = drawn(SheetRow(images, "five"), images_per_line=2)
    assert sheet.shape == (GAP + TITLE + 3 * (HEAD + 200 + GAP) + FOOT, GAP + 2 * (200 + GAP))
    low = GAP + TITLE + 2 * (HEAD + 200 + GAP) + HEAD
    np.testing.assert_array_equal(sheet[low : low + 200, GAP : GAP + 200], greys(images[4].pixels))
    assert np.all(sheet[low : low + 200, 2 * GAP + 200 :] == 255)


def test_the_scale_bar_has_the_length_that_it_says():
    black = np.zeros((200, 200))
    sheet = drawn(SheetRow([CaptionedImage(black, pixel_size_angstrom=0.1)]))
    inside = sheet[GAP + HEAD : GAP + HEAD + 200, GAP : GAP + 200]
    # A quarter of 20 Å is 5 Å: 50 pixels.
    bright = (inside[-12:] > 200).sum(axis=1).max()
    assert bright == pytest.approx(50, abs=2)
    plain = drawn(SheetRow([CaptionedImage(black)]))
    assert np.all(plain[GAP + HEAD : GAP + HEAD + 200, GAP : GAP + 200] == 0)


def test_captions_stay_within_their_image():
    long = "a caption that is far too long for its image " * 3
    images = [CaptionedImage(noise((192, 192)), long, 0.1), CaptionedImage(noise((192, 192)))]
    sheet = drawn(SheetRow(images))
    head = sheet[GAP : GAP + HEAD]
    assert head[:, : GAP + 192].min() < 128
    assert np.all(head[:, GAP + 192 :] == 255)


def test_greys_leave_out_the_extremes_and_keep_sparse_masks():
    values = np.arange(10_000.0).reshape(100, 100)
    values[0, 0] = 1e9
    assert int(greys(values)[50, 50]) == pytest.approx(127, abs=3)
    mask = np.zeros((100, 100), np.uint8)
    mask[3, 3] = 1
    assert greys(mask)[3, 3] == 255
    assert greys(mask).sum() == 255
    assert np.all(greys(np.full((4, 4), 7.0)) == 0)
    assert greys(np.array([[np.nan, 1.0, 2.0]]))[0, 0] == 0


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ImageError, match="no image"):
        contact_sheet([SheetRow([])])
    with pytest.raises(ImageError, match=r"\(3, 4, 5\)"):
        contact_sheet([SheetRow([CaptionedImage(np.zeros((3, 4, 5)))])])
