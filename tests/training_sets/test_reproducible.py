"""The same samples, whatever the processor makes of a sum."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, sys
from crewe.training_sets import load_recipe
maker = load_recipe(sys.argv[1], {"size_px": 48})
for index in range(int(sys.argv[2])):
    sample = maker.sample(9, index)
    digest = hashlib.sha256(repr(sample.facts).encode())
    for name in sorted(sample.arrays):
        digest.update(sample.arrays[name].tobytes())
    print(index, digest.hexdigest())
"""


def digests(recipe, count, processor):
    """Names of samples made with the BLAS code that OpenBLAS would choose on a processor."""
    environment = {**os.environ, "OPENBLAS_CORETYPE": processor, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, recipe, str(count)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.split("\n")


@pytest.mark.parametrize(("recipe", "count"), [("hrstem", 16), ("atom-maps", 8)])
def test_samples_do_not_depend_on_the_processor(recipe, count):
    assert digests(recipe, count, "Haswell") == digests(recipe, count, "Nehalem")
