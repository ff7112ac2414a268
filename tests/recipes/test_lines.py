import pytest

from crewe.errors import RecipeError
from crewe.recipes import Distribution, RecipePart, parse_yaml, read_yaml


class Wedge(RecipePart):
    probability: float = 0.75
    angle_deg: Distribution = [5, 45]


class Body(RecipePart):
    thickness_nm: Distribution
    wedge: Wedge = Wedge()


GOOD = """\
# a comment
thickness_nm: [1, 30]
wedge:
  probability: 0.5
  angle_deg: [10, 20]
"""


def complaint(text):
    with pytest.raises(RecipeError) as caught:
        Body.read(*parse_yaml(text, "body.yaml"))
    return str(caught.value)


def test_a_good_recipe_is_read_and_written_back_alike():
    body = Body.read(*parse_yaml(GOOD))
    assert body.wedge.probability == 0.5
    assert Body.read(body.plain()) == body


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("[10, 20]", "[20, 10]", 5, "empty"),
        ("angle_deg", "angel_deg", 5, "did you mean angle_deg"),
        ("probability: 0.5", "probability: often", 4, "wedge.probability"),
        ("[1, 30]", "{between: [1, 30]}", 2, "between"),
        ("[10, 20]", "[10, 20", 6, "YAML"),
        ("angle_deg: [10, 20]", "probability: 1", 5, "twice"),
    ],
)
def test_a_mistake_is_named_with_its_line(old, new, line, word):
    said = complaint(GOOD.replace(old, new))
    assert f"body.yaml, line {line}" in said
    assert word in said


def test_every_mistake_is_told_at_once():
    said = complaint("thickness_nm: [3, 1]\nwegde: {}\n")
    assert "line 1" in said
    assert "line 2: unknown key wegde (did you mean wedge?)" in said


def test_a_missing_key_is_named():
    assert "thickness_nm is missing" in complaint("wedge: {}\n")


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "just words\n", "a: !!python/object:os.x {}\n"])
def test_what_holds_no_recipe_is_refused(text):
    complaint(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("absent.yaml", "binary.yaml"):
        with pytest.raises(RecipeError, match="cannot be read"):
            read_yaml(tmp_path / name)
