import io

import numpy as np
import pyarrow.parquet as pq
import pytest

from crewe.errors import RecipeError
from crewe.training_sets.pieces import manifest_piece, read_piece, read_whole, table_piece


def rows_of(piece):
    return pq.read_table(io.BytesIO(piece)).to_pandas()


def test_a_piece_of_the_manifest_numbers_its_rows():
    facts = [
        {"name": "Pt", "dose": 2.5, "tilted": True},
        {"name": "Si", "dose": 4, "tilted": False},
    ]
    rows = rows_of(manifest_piece(facts, 64, 2))
    assert list(rows["index"]) == [64, 65]
    assert list(rows["block"]) == [2, 2]
    assert list(rows["dose"]) == [2.5, 4.0]
    assert rows["tilted"].dtype == bool
    assert list(rows["name"]) == ["Pt", "Si"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([{"a": 1}, {"b": 1}], r"sample 7 and sample 6 differ in facts: \['a', 'b'\]"),
        ([{"a": 1}, {"a": "one"}], "'a' is of type int, str"),
        ([{"a": 1}, {"a": True}], "'a' is of type bool, int"),
        ([{"a": None}, {"a": None}], "NoneType"),
        ([{"a": [1]}, {"a": [2]}], "list"),
    ],
)
def test_facts_that_fit_no_table_are_refused(facts, said):
    with pytest.raises(RecipeError, match=said):
        manifest_piece(facts, 6, 0)


def test_each_sample_of_a_table_is_read_alone(tmp_path):
    columns = {"x": "float64", "count": "int32", "seen": "bool", "element": "str"}
    rng = np.random.default_rng(3)
    tables = [
        {
            "x": rng.random(n),
            "count": rng.integers(0, 9, n).astype(np.int32),
            "seen": rng.random(n) < 0.5,
            "element": np.array(["Å"] * n, object),
        }
        for n in (3, 0, 0, 70_000, 1)
    ]
    path = tmp_path / "piece.parquet"
    path.write_bytes(table_piece(tables, columns, 10))
    for number, table in enumerate(tables):
        read = read_piece(path, number).to_pandas()
        assert list(read.columns) == list(columns)
        for name, values in table.items():
            np.testing.assert_array_equal(read[name].to_numpy(), values)
    numbers = read_whole(path)["sample"].to_numpy()
    np.testing.assert_array_equal(np.unique(numbers, return_counts=True)[1], [3, 70_000, 1])
    assert table_piece(tables, columns, 10) == path.read_bytes()
