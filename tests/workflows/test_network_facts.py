import os

import pytest

from crewe.workflows.network_facts import threads_each


@pytest.mark.parametrize(("workers", "items"), [(0, 9), (1, 9), (8, 1)])
def test_one_process_takes_all_cores(workers, items):
    assert threads_each(None, workers, items) is None


@pytest.mark.parametrize(
    ("cores", "workers", "items", "each"), [(8, 4, 9, 2), (8, 9, 3, 2), (2, 4, 4, 1)]
)
def test_processes_share_the_cores(monkeypatch, cores, workers, items, each):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert threads_each(None, workers, items) == each
    assert threads_each(3, workers, items) == 3
