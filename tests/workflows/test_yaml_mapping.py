import pytest

from crewe.errors import PlanError
from crewe.workflows import yaml_mapping
from crewe.workflows.yaml_mapping import read_mapping


def test_keys_and_values_are_read(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("image: α.tif\nfit: {peak: gaussian}\n", encoding="utf-8")
    assert read_mapping(path, "keys") == {"image": "α.tif", "fit": {"peak": "gaussian"}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no keys: expected such as image"),
        (b"[1, 2]", "holds no keys"),
        (b"a: [", "is not valid YAML: while parsing"),
        (b"\xff\xfe\xfa", "cannot be read: "),
        (b"a: " + 100 * b"b", "far too large"),
    ],
)
def test_what_is_no_mapping_is_told(content, said, tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_mapping, "LARGEST_FILE_BYTES", 100)
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(PlanError, match=said) as caught:
        read_mapping(path, "such as image")
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(PlanError, match=r"gone.yaml cannot be read.*No such file"):
        read_mapping(tmp_path / "gone.yaml", "keys")
