import numpy as np
import pytest

from crewe.errors import WriteError
from crewe.workflows.fuse_store import Unfinished

MADE_WITH = {"plan": {"seed": 0}, "sha256": "abc"}


def planes(value):
    return np.full((2, 3, 4), value, np.float32)


def test_parts_are_there_for_whoever_goes_on(tmp_path):
    Unfinished(tmp_path / "u", MADE_WITH).put(3, {"maps": planes(1), "errors": planes(2)})
    again = Unfinished(tmp_path / "u", MADE_WITH)
    assert again.has(3)
    assert not again.has(2)
    np.testing.assert_array_equal(again.get(3, "errors"), planes(2))


def test_parts_of_other_settings_are_not_taken(tmp_path):
    Unfinished(tmp_path / "u", MADE_WITH).put(0, {"maps": planes(1)})
    assert not Unfinished(tmp_path / "u", {**MADE_WITH, "sha256": "def"}).has(0)
    assert not Unfinished(tmp_path / "u", MADE_WITH).has(0)


def test_a_damaged_folder_is_started_anew(tmp_path):
    Unfinished(tmp_path / "u", MADE_WITH).put(0, {"maps": planes(1)})
    (tmp_path / "u" / "made_with.json").write_bytes(b"\xff\xfe")
    assert not Unfinished(tmp_path / "u", MADE_WITH).has(0)


def test_stacks_lie_on_disk_and_begin_as_zeros(tmp_path):
    store = Unfinished(tmp_path / "u", MADE_WITH)
    stack = store.stack("Co", (2, 5, 5))
    assert isinstance(stack, np.memmap)
    assert not stack.any()
    stack[1] = 4
    assert store.stack("Co", (2, 5, 5)).sum() == 0
    store.remove()
    assert not (tmp_path / "u").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(WriteError, match="cannot be made"):
        Unfinished(tmp_path / "taken" / "u", MADE_WITH).put(0, {"maps": planes(1)})


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path):
    store = Unfinished(tmp_path / "out" / "u", MADE_WITH)
    assert not store.has(0)
    store.remove()
    assert not (tmp_path / "out").exists()
