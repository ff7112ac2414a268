import numpy as np

from crewe.sources.timepix3.store import EventStore


def test_a_store_grows_and_forgets_what_came_first():
    store = EventStore(2)
    for number in range(100):
        store.make_room(1)
        store.times[number], store.pixels[number] = number, number
        store.count = number + 1
    store.examined = 50
    store.forget_oldest(30)
    assert store.times[: store.count].tolist() == list(range(30, 100))
    assert store.pixels[: store.count].tolist() == list(range(30, 100))
    assert store.examined == 20


def test_what_was_not_looked_at_stays_behind_what_was_kept():
    store = EventStore(16)
    store.times[:10], store.pixels[:10] = np.arange(10), np.arange(10)
    store.count = 10
    store.keep(2, 6)
    assert (store.times[store.begin : store.count].tolist(), store.examined) == (
        [0, 1, 6, 7, 8, 9],
        6,
    )
    store.keep(store.examined + 1, store.count)
    assert store.waiting == 3
    store.settle()
    assert store.pixels[: store.count].tolist() == [0, 1, 6]
    assert (store.begin, store.examined) == (0, 3)
    store.clear()
    assert store.waiting == store.examined == 0
