import numpy as np
import pytest

from crewe.sources.arrivals import HEADROOM_BYTES, Block


@pytest.mark.parametrize("length", [0, 100, HEADROOM_BYTES, HEADROOM_BYTES + 1])
def test_a_rest_of_any_length_goes_in_front(length):
    rest = np.arange(length).astype(np.uint8)
    content = np.zeros(HEADROOM_BYTES + 10, np.uint8)
    content[HEADROOM_BYTES:] = np.arange(10)
    joined, start, stop = Block(content, HEADROOM_BYTES, HEADROOM_BYTES + 7).after(rest)
    np.testing.assert_array_equal(joined[start:stop], [*rest, *range(7)])
