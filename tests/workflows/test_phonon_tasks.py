from functools import partial

import numpy as np
import phonon_makers as make
import pytest

from crewe.errors import SpecimenError, WriteError
from crewe.workflows import phonon_tasks
from crewe.workflows.observer import Silent
from crewe.workflows.phonon_folder import PhononFolder, PhononTask
from crewe.workflows.phonon_tasks import carry_out


class Listener(Silent):
    def __init__(self):
        self.fractions, self.said = [], []

    def advanced(self, stage, fraction):
        self.fractions.append(fraction)

    def message(self, text):
        self.said.append(text)

    def warning(self, text):
        self.said.append(text)


def tasks(path, count=4, makers=None):
    folder = PhononFolder(path)
    folder.prepare({"seed": 1}, {})
    made = makers or [partial(make.noise, (1, n)) for n in range(count)]
    return folder, [PhononTask(folder, 0, n, one) for n, one in enumerate(made)]


def test_progress_counts_what_is_there_already(tmp_path):
    _, todo = tasks(tmp_path / "a")
    listener = Listener()
    carry_out(todo[2:], listener, there=2)
    assert listener.fractions == [0.75, 0.75, 1.0, 1.0]
    assert listener.said == ["2 of 4 configurations are there already"]


def test_workers_make_the_same_images(tmp_path):
    here, todo = tasks(tmp_path / "here")
    carry_out(todo, Silent())
    there, todo = tasks(tmp_path / "there")
    carry_out(todo, Silent(), workers=2)
    for number in range(4):
        np.testing.assert_array_equal(here.load(0, number), there.load(0, number))


def test_the_time_left_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(phonon_tasks, "SECONDS_BETWEEN_MESSAGES", 0.0)
    _, todo = tasks(tmp_path / "a")
    listener = Listener()
    carry_out(todo, listener)
    assert len(listener.said) == 3
    assert all("of 4 configurations" in text and "left" in text for text in listener.said)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_first_failure_ends_the_run_and_keeps_what_is_whole(tmp_path, workers):
    makers = [partial(make.noise, (1, 0)), make.refused, partial(make.noise, (1, 2))]
    folder, todo = tasks(tmp_path / "a", makers=makers)
    with pytest.raises(SpecimenError, match="atoms that cannot be"):
        carry_out(todo, Silent(), workers=workers)
    assert folder.has(0, 0)
    assert not folder.has(0, 1)


def test_what_nobody_expected_names_the_configuration(tmp_path):
    _, todo = tasks(tmp_path / "a", makers=[make.broken])
    with pytest.raises(WriteError, match="configuration 0 of specimen 0: unexpected ZeroDivision"):
        carry_out(todo, Silent())


def test_an_interruption_says_how_to_go_on(tmp_path):
    makers = [partial(make.noise, (1, 0)), make.interrupted]
    folder, todo = tasks(tmp_path / "a", makers=makers)
    listener = Listener()
    with pytest.raises(KeyboardInterrupt):
        carry_out(todo, listener)
    assert "1 of 2 configurations are whole: run the same command again" in listener.said[-1]
    assert folder.has(0, 0)
