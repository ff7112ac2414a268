"""Restores images with a network of tk_r_em 1.0.4; runs in an environment of its own.

    python tk_r_em_images.py ARCHIVE MODALITY IMAGES.npz FOLDER [COUNT] [stored]

ARCHIVE is the unpacked source archive of tk_r_em 1.0.4, IMAGES.npz holds `images` (n, y, x) with
the fast scan axis along x, on which its networks do best. FOLDER gets 000.npy and so on, those
that are there already are left alone. With `stored` the images go in with axes swapped. One
thread; needs tensorflow-cpu.
"""

import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def main(archive, modality, images_path, folder, count=None, axes="scan"):
    with np.load(images_path) as stored:
        images = stored["images"][: int(count) if count else None]
    model = tf.saved_model.load(str(Path(archive) / "tk_r_em" / "models" / f"sfr_{modality}"))
    network = model.signatures["serving_default"]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        path = Path(folder) / f"{index:03d}.npy"
        if path.exists():
            continue
        swapped = axes == "stored"
        given = np.ascontiguousarray(image.T if swapped else image, np.float32)
        (result,) = network(tf.constant(given[None, ..., None])).values()
        restored = result.numpy()[0, ..., 0]
        keep(path, restored.T if swapped else restored)


def keep(path, image):
    """Write in one step, so that a killed run leaves no half of a file."""
    unfinished = path.with_suffix(".unfinished.npy")
    np.save(unfinished, np.ascontiguousarray(image, np.float32))
    unfinished.replace(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
