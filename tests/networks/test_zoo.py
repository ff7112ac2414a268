import shutil
from pathlib import Path

import numpy as np
import pytest

from crewe.errors import PlanError, ReadError
from crewe.networks.card import read_card, write_card
from crewe.networks.zoo import FOLDER, card_of, open_network, path_of_network, shipped_networks

LARGEST_BYTES = 15e6


def test_the_networks_that_ship():
    restore = {"hrstem", "lrstem", "hrsem", "lrsem", "hrtem", "lrtem"}
    clean = {"denoise", "denoise-background", "super-resolution"}
    assert set(shipped_networks()) == restore | clean | {"gaussian-mask", "circular-mask"}


@pytest.mark.parametrize("name", shipped_networks())
def test_a_shipped_network_is_small_and_has_a_card_of_its_own(name):
    card = card_of(name)
    assert card.name == name
    assert path_of_network(name).stat().st_size < LARGEST_BYTES
    assert card.description
    assert card.fails
    assert card.training.samples > 0
    assert card.likeness


@pytest.mark.parametrize("name", shipped_networks())
def test_a_shipped_network_keeps_unit_offset_and_holes(name):
    pytest.importorskip("onnxruntime")
    network = open_network(name, threads=1)
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:61, :47]
    image = rng.poisson(30 + 20 * np.sin(y / 2) * np.sin(x / 2)).astype(np.float64)
    image[20:22, 30] = np.nan
    once, other = network.run(image), network.run(1000 * image - 7)
    assert once.shape == image.shape
    np.testing.assert_array_equal(np.isnan(once), np.isnan(image))
    wanted = once if network.card.output == "mask" else 1000 * once - 7
    np.testing.assert_allclose(other, wanted, atol=2e-4 * np.nanmax(np.abs(wanted)))
    if network.card.output == "mask":
        assert np.nanmin(once) >= 0
        assert np.nanmax(once) <= 1
    if network.card.task == "restoration":
        assert np.nanmean(once) == pytest.approx(np.nanmean(image), rel=1e-5)


@pytest.mark.parametrize("name", shipped_networks())
def test_tiles_leave_no_seams(name):
    """The tiled result equals that of the whole image to 1e-3 of the range."""
    pytest.importorskip("onnxruntime")
    network = open_network(name, threads=1)
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:380, :300]
    for dose in (0.3, 40):
        image = rng.poisson(dose * (1 + 0.8 * np.sin(y / 3) * np.sin(x / 3.5))).astype(np.float32)
        whole, tiled = network.run(image, tile_px=512), network.run(image, tile_px=256)
        assert np.ptp(whole) > 0
        assert np.abs(whole - tiled).max() <= 1e-3 * np.ptp(whole)


@pytest.fixture
def copied(tmp_path):
    """A copy of a shipped network that a test may damage."""
    for suffix in (".onnx", ".yaml"):
        shutil.copy(FOLDER / f"gaussian-mask{suffix}", tmp_path)
    return tmp_path / "gaussian-mask.onnx"


def test_a_network_elsewhere_is_opened_by_its_path(copied):
    assert open_network(copied).card == card_of("gaussian-mask")


def test_a_damaged_file_is_noticed(copied):
    contents = bytearray(copied.read_bytes())
    contents[len(contents) // 2] ^= 1
    copied.write_bytes(contents)
    with pytest.raises(ReadError, match=r"gaussian-mask\.onnx is not the file .* damaged"):
        open_network(copied)


def test_what_is_missing_is_named(copied, tmp_path):
    with pytest.raises(PlanError, match=r"no network 'hrsteam': choose one of .*gaussian-mask"):
        open_network("hrsteam")
    with pytest.raises(ReadError, match=r"none\.yaml"):
        open_network(tmp_path / "none.onnx")
    copied.unlink()
    with pytest.raises(ReadError, match=r"gaussian-mask\.onnx"):
        open_network(copied)
    copied.with_suffix(".yaml").write_text("name: [\n")
    with pytest.raises(ReadError, match="no card"):
        open_network(copied)


def test_a_card_comes_back_as_it_was_written(tmp_path):
    card = card_of("gaussian-mask")
    write_card(card, tmp_path / "card.yaml")
    assert read_card(tmp_path / "card.yaml") == card
    with pytest.raises(ReadError, match="cannot be read"):
        read_card(Path(tmp_path / "no.yaml"))
