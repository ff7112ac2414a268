"""Every method of restoration behind one call: a set of images in, restored images out.

The peers run once in environments of their own and leave their results in the set's folder; the
filters and our networks are quick and run anew.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.restoration_filters import NOISE_FACTOR, evened, wiener
from benchmarks.accuracy.restoration_sets import ImageSet

PEERS = Path(__file__).parents[1] / "peers"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Peers:
    """Where other programs are; None leaves them out."""

    bm3d_python: Path | None = None
    tk_r_em_python: Path | None = None
    tk_r_em_archive: Path | None = None


def run_peers(images: ImageSet, peers: Peers, bm3d: int, tk_r_em: int) -> None:
    """Let the peers restore the first so many images, one thread each, those that are left."""
    if peers.tk_r_em_python and tk_r_em:
        script, folder = PEERS / "tk_r_em_images.py", images.result_folder("tk_r_em")
        given = (peers.tk_r_em_archive, images.modality, images.images_path, folder, tk_r_em)
        _call(peers.tk_r_em_python, script, *given)
    if peers.bm3d_python and bm3d:
        given = (_evened_file(images, bm3d), images.result_folder("bm3d"), bm3d)
        _call(peers.bm3d_python, PEERS / "bm3d_images.py", *given)


def run_tk_r_em_as_stored(images: ImageSet, peers: Peers) -> None:
    """Let tk_r_em restore published pairs the way round that they are stored."""
    if peers.tk_r_em_python:
        folder = images.result_folder("tk_r_em-stored")
        given = (peers.tk_r_em_archive, images.modality, images.images_path, folder)
        script = PEERS / "tk_r_em_images.py"
        _call(peers.tk_r_em_python, script, *given, len(images.images), "stored")


def restored(
    images: ImageSet, method: str, network: str | Path | None = None
) -> list[np.ndarray | None]:
    """Return what a method makes of every image, None where it was not run.

    `method` is input, wiener, bm3d, tk_r_em, tk_r_em-stored or crewe, for which `network` is the
    name or path of the network.
    """
    if method == "input":
        return list(images.images.astype(np.float32))
    if method == "wiener":
        return [wiener(image) for image in images.images]
    if method == "crewe":
        from crewe.networks.zoo import open_network

        trained = open_network(network or images.modality, threads=1)
        return [trained.run(image) for image in images.images]
    stored = images.results(method)
    if method != "bm3d":
        return stored
    pairs = zip(images.images, stored, strict=True)
    return [None if image is None else evened(given).back(image) for given, image in pairs]


def _evened_file(images: ImageSet, count: int) -> Path:
    path = images.folder / "evened.npz"
    parts = [evened(image) for image in images.images[:count]]
    np.savez(
        path,
        images=np.stack([part.values for part in parts]),
        noise_powers=np.stack([NOISE_FACTOR * part.noise_power for part in parts]),
    )
    return path


def _call(*command: object) -> None:
    words = [str(word) for word in command]
    subprocess.run(words, check=True, env={**os.environ, **ONE_THREAD})
