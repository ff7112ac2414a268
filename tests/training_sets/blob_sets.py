"""What the tests of stored training sets share."""

import importlib
import sys
from pathlib import Path

import numpy as np

# Worker processes import the maker by its name.
sys.path.append(str(Path(__file__).parent))
blobs = importlib.import_module("blob_maker")

COUNT, SEED = 70, 5
"""Three blocks, the last one of 6 samples."""


def assert_same_sample(one, other):
    """Compare two samples bit for bit."""
    assert one.facts == other.facts
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype
        np.testing.assert_array_equal(array, other.arrays[name])
    assert list(one.tables) == list(other.tables)
    for name, table in one.tables.items():
        for column, values in table.items():
            np.testing.assert_array_equal(values, other.tables[name][column])
