"""Damaged files of every format: they are read or refused, with nothing else in between.

CREWE_FUZZ_CASES sets the number of damaged copies per file (default 6).
"""

import gc
import os
import random
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.errors import CreweError
from crewe.io import list_signals, read, write
from crewe.testing.phantoms import asymmetric_phantom

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CASES = int(os.environ.get("CREWE_FUZZ_CASES", "6"))
SECONDS = 20
REAL = [
    "lowres/dm3_test_STEM_image.dm3",
    "lowres/JEOL_HAADF_Image.dm4",
    "lowres/FEI_03_Scanning_Preview_1.ser",
    "lowres/mrc_HAADFscan.mrc",
    "lowres/fei_example_dpc_titles.emd",
    "lowres/ncem_STEM_HAADF-DF4-DF2-BF.emd",
    "4dstem/blockfile_test1.blo",
    "4dstem/prismatic_Si100_DPC.emd",
    "4dstem/mib_skued_test.mib",
    "chem/bcf_test_TEM.bcf",
    "atomic/atomap_simulated_nanoparticle.hspy",
    "atomic/katsuno_lowdoseTEM_0001.tif",
    "atomic/statstem_ExampleCsPbBr3.mat",
]
WRITTEN = ["a.tif", "a.hspy", "a.npz", "a.npy", "a.png", "a.jpg", "plain.h5", "level5.mat"]


class TooSlowError(BaseException):
    """Not an Exception, so that no reader can swallow it."""


def damaged_copies(content, cases):
    rng = random.Random(len(content))
    for case in range(cases):
        copy = bytearray(content)
        kind = case % 4
        if kind == 0:
            copy = copy[: rng.randrange(len(copy))]
        elif kind == 1:
            for _ in range(rng.choice([1, 10])):
                copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            for _ in range(rng.choice([1, 3])):
                copy[rng.randrange(min(len(copy), 512))] ^= 1 << rng.randrange(8)
        else:
            place = rng.randrange(min(len(copy), 2048))
            copy[place : place + 4] = b"\xff" * len(copy[place : place + 4])
        yield bytes(copy)


@pytest.fixture
def alarm():
    """Turn a hang into a failure, where the system can."""
    if sys.platform == "win32":
        yield lambda seconds: None
        return

    def ring(*_):
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, ring)
    yield signal.alarm
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def check_damaged(source, folder, alarm, capfd):
    for content in damaged_copies(source.read_bytes(), CASES):
        path = folder / f"damaged{source.suffix}"
        path.write_bytes(content)
        for action in (list_signals, read):
            alarm(SECONDS)
            try:
                action(path)
            except CreweError as error:
                assert "\n" not in str(error)  # noqa: PT017 - success is as good
                assert len(str(error)) < 500  # noqa: PT017
            alarm(0)
    # Readers leave damaged files open to the collector, which may come in another test.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    said = capfd.readouterr()
    assert said.out + said.err == ""


@pytest.mark.parametrize("name", REAL)
def test_damaged_files_of_microscopes(name, tmp_path, alarm, capfd):
    if not (DATA / name).is_file():
        pytest.skip("real files are not part of the repository")
    check_damaged(DATA / name, tmp_path, alarm, capfd)


def small_file(path):
    image = calibrated_image(np.arange(33 * 41, dtype=np.float32).reshape(33, 41), 0.1)
    if path.suffix == ".jpg":
        from PIL import Image

        Image.fromarray((image.values % 255).astype(np.uint8)).save(path)
    elif path.name == "plain.h5":
        import h5py

        with h5py.File(path, "w") as file:
            file.create_dataset("a/b", data=image.values, compression="gzip")
            file["stack"] = asymmetric_phantom((3, 9, 13)).values
    elif path.suffix == ".mat":
        from scipy.io import savemat

        savemat(path, {"input": {"obs": image.values, "dx": 0.1}, "other": image.values})
    else:
        write(path, image if path.suffix == ".png" else asymmetric_phantom((3, 9, 13)))
    return path


@pytest.mark.parametrize("name", WRITTEN)
def test_damaged_files_that_we_write(name, tmp_path, alarm, capfd):
    check_damaged(small_file(tmp_path / name), tmp_path, alarm, capfd)


def test_noise_is_refused(tmp_path, alarm, capfd):
    (tmp_path / "noise.dat").write_bytes(np.random.default_rng(0).bytes(3000))
    check_damaged(tmp_path / "noise.dat", tmp_path, alarm, capfd)
