import pytest
from pydantic import Field

from crewe.errors import RecipeError
from crewe.recipes import Distribution, RecipePart, parse_yaml


class Wedge(RecipePart):
    zone_axis: str = "001"
    angle_deg: Distribution = [5, 45]


class Body(RecipePart):
    thickness_nm: Distribution
    wedge: Wedge = Wedge()
    chain: str | dict[str, int] = "hrstem"
    wedges: tuple[Wedge, ...] = Field((Wedge(),), min_length=1)


def complaint(text):
    with pytest.raises(RecipeError) as caught:
        Body.read(*parse_yaml(text, "body.yaml"))
    return str(caught.value)


def test_every_mistake_is_told_at_once():
    said = complaint("thickness_nm: [3, 1]\nwegde: {}\n")
    assert "line 1" in said
    assert "line 2: unknown key wegde (did you mean wedge?)" in said


def test_a_missing_key_is_named():
    assert "thickness_nm is missing" in complaint("wedge: {}\n")


@pytest.mark.parametrize("word", ["110", "001", "yes", "2024-01-02", "1.0"])
def test_a_word_without_quotes_is_shown_with_them(word):
    said = complaint(f"thickness_nm: 3\nwedge:\n  zone_axis: {word}\n")
    assert said == (
        f"body.yaml, line 3: wedge.zone_axis: expected a word, not {word}: "
        f'write it in quotes, as in "{word}"'
    )


def test_without_a_file_the_value_itself_is_shown():
    with pytest.raises(RecipeError, match='as in "110"'):
        Body.read({"thickness_nm": 3, "wedge": {"zone_axis": 110}})


@pytest.mark.parametrize("form", ["", "[1]", "{a: 1}"])
def test_what_no_quotes_would_mend_is_told_as_it_is(form):
    assert "quotes" not in complaint(f"thickness_nm: 3\nwedge:\n  zone_axis: {form}\n")


def test_a_list_is_not_blamed_for_the_mistakes_of_its_items():
    said = complaint("thickness_nm: 3\nwedges:\n- zone_axis: 110\n")
    assert "line 3: wedges.0.zone_axis" in said
    assert ";" not in said
    assert "at least 1" in complaint("thickness_nm: 3\nwedges: []\n")


def test_settings_that_are_no_mapping_are_refused():
    with pytest.raises(RecipeError, match="the whole"):
        Body.read([1, 2])


def test_what_may_be_one_of_two_kinds_is_told_once_and_by_its_own_name():
    said = complaint("thickness_nm: 3\nchain: 5\n")
    assert said.startswith("body.yaml, line 2: chain: expected a word, not 5")
    assert ", or: " in said
    assert "str" not in said
    assert "line 3: chain.a: " in complaint("thickness_nm: 3\nchain:\n  a: b\n")
