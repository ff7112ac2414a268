import pytest

from crewe.errors import RecipeError
from crewe.recipes import Distribution, Lines, RecipePart, parse_yaml, read_yaml


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


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "just words\n", "a: !!python/object:os.x {}\n"])
def test_what_holds_no_recipe_is_refused(text):
    complaint(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("absent.yaml", "binary.yaml"):
        with pytest.raises(RecipeError, match="cannot be read"):
            read_yaml(tmp_path / name)


@pytest.mark.parametrize(
    "value",
    ["2024-13-45", "!!bool maybe", "!!int ''", "!!timestamp soon", "!!float x", "9" * 5000],
)
def test_what_looks_like_a_date_or_a_number_and_is_none_is_named_with_its_line(value):
    said = complaint(f"wedge: {{}}\nthickness_nm: {value}\n")
    assert "body.yaml, line 2 is not valid YAML" in said
    assert "quotes" in said


def test_a_key_that_is_a_list_is_refused_and_aliases_without_end_too():
    assert "line 1" in complaint("? [a, b]\n: 3\n")
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "no recipe" in complaint("\n".join(["a0: &a0 [1]", *levels]))


def test_scalars_are_kept_as_they_are_written():
    settings, lines = parse_yaml("axis: 001\nsure: yes\nlist: [007]\n")
    assert settings == {"axis": 1, "sure": True, "list": [7]}
    assert [lines.word(place) for place in (("axis",), ("sure",), ("list", 0))] == [
        *("001", "yes", "007")
    ]
    assert lines.word(("list",)) is None
    assert lines.word(("absent",)) is None


def test_lines_of_a_part_are_those_of_the_whole():
    _, lines = parse_yaml(GOOD, "body.yaml")
    inside = lines.inside("wedge")
    assert inside.say(("angle_deg",)) == lines.say(("wedge", "angle_deg")) == "body.yaml, line 5"
    assert inside.say(()) == inside.say(("absent",)) == "body.yaml, line 3"
    assert inside.word(("probability",)) == "0.5"


def test_keys_that_come_from_elsewhere_are_said_to_stand_there(tmp_path):
    (tmp_path / "base.yaml").write_text(f"\n{GOOD}")
    _, base = read_yaml(tmp_path / "base.yaml")
    _, own = parse_yaml("thickness_nm: 3\n", "own.yaml")
    both = own.with_others(["wedge"], base).with_others(["colour"], Lines("the changes"))
    assert both.say(("thickness_nm",)) == "own.yaml, line 1"
    assert both.say(("wedge", "angle_deg")) == f"{tmp_path / 'base.yaml'}, line 6"
    assert both.word(("wedge", "probability")) == "0.5"
    assert both.say(("colour",)) == "the changes"
    assert (both.folder, both.inside("wedge").folder) == (None, tmp_path)
    assert both.inside("wedge").say(("angle_deg",)).endswith("base.yaml, line 6")
