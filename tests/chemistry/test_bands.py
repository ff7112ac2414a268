import threading
import time

import numpy as np
import pytest

from crewe.chemistry.bands import Bands, processors


def test_every_row_is_done_once_however_many_threads():
    for rows in (1, 95, 96, 400, 1001):
        for threads in (1, 2, 3, 8):
            done = np.zeros(rows, int)

            def step(first, last, done=done):
                done[first:last] += 1

            with Bands(rows, threads) as bands:
                bands.run(step)
                bands.run(step)
            assert (done == 2).all()


def test_bands_run_at_the_same_time():
    meeting = threading.Barrier(3)
    with Bands(600, 3) as bands:
        start = time.monotonic()
        bands.run(lambda first, last: meeting.wait(5) and None)
    assert time.monotonic() - start < 5


def test_an_error_in_one_band_is_not_lost():
    def step(first, last):
        if first > 0:
            raise ValueError("second band")

    with Bands(400, 2) as bands, pytest.raises(ValueError, match="second band"):
        bands.run(step)


def test_processors_follow_the_environment(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert processors() == 3
    monkeypatch.setenv("NUMBA_NUM_THREADS", "nonsense")
    assert processors() >= 1
