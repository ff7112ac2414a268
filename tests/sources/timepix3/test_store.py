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
