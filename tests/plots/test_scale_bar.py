import pytest

from crewe.plots.scale_bar import length_label, round_length


@pytest.mark.parametrize(
    ("longest", "length"), [(9.9, 5), (10, 10), (10.1, 10), (0.3, 0.2), (49, 20), (1, 1)]
)
def test_lengths_are_round_and_fit(longest, length):
    assert round_length(longest) == pytest.approx(length)


def test_labels_use_the_unit_that_reads_best():
    assert length_label(5, "Å") == "5 Å"
    assert length_label(20, "Å") == "2 nm"
    assert length_label(50, "px") == "50 px"
