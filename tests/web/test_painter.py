import threading
import time

from runs import Run, parts

from crewe.web import painter as painter_module
from crewe.web.painter import Painter


def test_nothing_is_made_while_nobody_looks(monkeypatch):
    monkeypatch.setattr(painter_module, "IDLE_S", 0.15)
    run = Run()
    painter = Painter(run, updates_per_second=200)
    painter.start()
    try:
        time.sleep(0.1)
        assert run.made == 0
        painter.after(0, 1.0)
        time.sleep(0.3)
        made = run.made
        for _ in range(5):
            run.batches += 1
            time.sleep(0.02)
        assert run.made == made >= 1
    finally:
        painter.stop()


def test_many_viewers_cost_one_image_and_all_see_the_newest():
    run = Run()
    painter = Painter(run, updates_per_second=20)
    painter.start()
    seen = []

    def look():
        number = 0
        for _ in range(5):
            head, _ = parts(painter.after(number, 2.0))
            number = head["update"]
            seen.append((number, head["images"][0]["low"]))
            run.batches += 1

    viewers = [threading.Thread(target=look) for _ in range(12)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    painter.stop()
    assert len(seen) == 60
    assert run.made <= 25
    # One update is one message, whoever reads it.
    assert len(set(seen)) == len({number for number, _ in seen})


def test_a_viewer_that_is_up_to_date_waits_for_news():
    run = Run()
    painter = Painter(run, updates_per_second=50)
    painter.start()
    number = parts(painter.after(0, 2.0))[0]["update"]
    begin = time.monotonic()
    threading.Timer(0.2, lambda: setattr(run, "batches", 5)).start()
    head, _ = parts(painter.after(number, 2.0))
    assert head["images"][0]["low"] == 5
    assert 0.1 < time.monotonic() - begin < 1.5
    painter.stop()


def test_the_end_is_shown_even_to_those_who_wait():
    run = Run()
    painter = Painter(run, updates_per_second=50)
    painter.start()
    head, _ = parts(painter.after(0, 2.0))
    run.batches = 9
    painter.stop()
    last, _ = parts(painter.after(head["update"], 2.0))
    assert last["update"] > head["update"]
    assert last["images"][0]["low"] == 9


def test_making_images_leaves_half_of_the_time_to_the_data():
    run = Run()
    slow = run.images

    def slowly():
        time.sleep(0.05)
        return slow()

    run.images = slowly
    painter = Painter(run, updates_per_second=1000)
    painter.start()
    begin, number = time.monotonic(), 0
    while time.monotonic() - begin < 1.0:
        run.batches += 1
        number = parts(painter.after(number, 1.0))[0]["update"]
    painter.stop()
    assert 3 <= run.made <= 12
