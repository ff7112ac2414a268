import numpy as np

from crewe.sources.buffers import MOST_KEPT, Buffers


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_comes_back_when_the_last_view_is_gone():
    buffers = Buffers()
    first = buffers.lend(4096)
    place, view = address(first), first.view(">u2").reshape(32, 64)[3:, ::2]
    view[...] = 7
    del first
    second = buffers.lend(4096)
    assert not np.shares_memory(second, view)
    second[...] = 1
    assert (view == 7).all()
    del view
    assert address(buffers.lend(100)) == place


def test_what_is_too_small_is_not_lent_again():
    buffers = Buffers()
    buffers.lend(10)
    large = buffers.lend(1000)
    large[...] = 3
    assert large.sum() == 3000
    assert len(buffers.lend(0)) == 0


def test_few_are_kept():
    buffers = Buffers()
    held = [buffers.lend(64) for _ in range(3 * MOST_KEPT)]
    places = {address(one) for one in held}
    assert len(places) == 3 * MOST_KEPT
    held.clear()
    again = [buffers.lend(64) for _ in range(MOST_KEPT)]
    assert {address(one) for one in again} <= places
