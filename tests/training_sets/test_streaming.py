import time
import tracemalloc
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice
from multiprocessing import get_context

import pytest
from blob_sets import COUNT, SEED, assert_same_sample, blobs

from crewe.errors import RecipeError, SpecimenError
from crewe.training_sets.making import make_sample
from crewe.training_sets.sample import Sample
from crewe.training_sets.store import open_training_set
from crewe.training_sets.streaming import stream

MAKER = blobs.BlobMaker()


class Watched(Executor):
    """A real thread pool that counts what is asked of it."""

    def __init__(self):
        self.pool = ThreadPoolExecutor(2)
        self.futures: list[Future] = []

    def submit(self, *task, **named):
        future = self.pool.submit(*task, **named)
        self.futures.append(future)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.pool.shutdown(wait, cancel_futures=cancel_futures)


def test_stream_and_store_hold_the_same_samples(made_set):
    stored = open_training_set(made_set)
    for one, other in zip(stream(MAKER, SEED), stored, strict=False):
        assert_same_sample(one, other)
    for index, sample in enumerate(islice(stream(MAKER, SEED, start=COUNT - 3), 3), COUNT - 3):
        assert_same_sample(sample, stored[index])


def test_processes_and_threads_keep_the_order():
    here = list(islice(stream(MAKER, 1, 3), 25))
    pools = (ThreadPoolExecutor(3), ProcessPoolExecutor(2, mp_context=get_context("spawn")))
    for pool in pools:
        with pool:
            ahead = stream(MAKER, 1, 3, pool, ahead=12, recall=blobs.recall)
            for one, other in zip(islice(ahead, 25), here, strict=True):
                assert_same_sample(one, other)
            ahead.close()


def test_no_more_than_asked_for_is_made_ahead():
    with Watched() as pool:
        ahead = stream(MAKER, 1, executor=pool, ahead=20, recall=blobs.recall)
        for taken, _ in zip(range(1, 41), ahead, strict=False):
            assert 4 * len(pool.futures) <= taken + 20
        ahead.close()


def test_closing_cancels_what_has_not_begun():
    with Watched() as pool:
        ahead = stream(MAKER, 1, executor=pool, ahead=400, recall=blobs.recall)
        next(ahead)
        ahead.close()
        begin = time.perf_counter()
    assert sum(future.cancelled() for future in pool.futures) > 50
    assert time.perf_counter() - begin < 1


def test_memory_stays_flat():
    with Watched() as pool:
        ahead = stream(MAKER, 1, executor=pool, ahead=8, recall=blobs.recall)
        list(islice(ahead, 50))
        pool.futures.clear()
        tracemalloc.start()
        for _ in range(400):
            next(ahead)
            pool.futures.clear()
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        ahead.close()
    one_sample = sum(array.nbytes for array in make_sample(MAKER, 1, 0).arrays.values())
    assert grown < 40 * one_sample


def test_a_sample_that_fails_is_named():
    failing = blobs.BlobMaker("fails: 6")
    assert len(list(islice(stream(failing, 2), 6))) == 6
    with pytest.raises(SpecimenError, match="sample 6 of seed 2: no such crystal"):
        list(islice(stream(failing, 2), 7))
    with ThreadPoolExecutor(1) as pool, pytest.raises(SpecimenError, match="sample 6"):
        list(islice(stream(failing, 2, executor=pool, recall=blobs.recall), 12))


class Careless(blobs.BlobMaker):
    """Makes samples that break one of its promises."""

    def sample(self, seed, index):
        good = super().sample(seed, index)
        arrays, tables = dict(good.arrays), dict(good.tables)
        if seed == 0:
            arrays["clean"] = arrays["clean"] * float("nan")
        elif seed == 1:
            arrays["clean"] = arrays["clean"].astype("float64")
        elif seed == 2:
            del arrays["mask"]
        elif seed == 3:
            arrays["extra"] = arrays["mask"]
        elif seed == 4:
            tables["positions"] = {"x": tables["positions"]["x"]}
        else:
            tables["positions"] = {**tables["positions"], "x": tables["positions"]["x"][:-1]}
        return Sample(arrays, good.facts, tables)


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        (0, "'clean' holds NaN"),
        (1, "'clean' is float64 .* float32"),
        (2, "lacks the array 'mask'"),
        (3, r"arrays that its layout lacks: \['extra'\]"),
        (4, "table 'positions' has .*'x'.*, not .*'element'"),
        (5, "differ in length"),
    ],
)
def test_a_maker_that_breaks_its_promise_is_told(seed, said):
    with pytest.raises(RecipeError, match=said):
        next(stream(Careless(), seed))
