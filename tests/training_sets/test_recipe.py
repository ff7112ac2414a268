import pytest

from crewe.errors import RecipeError
from crewe.training_sets.recipe import load_recipe, recipe_from_text, shipped_recipes


def test_every_shipped_recipe_reads_describes_itself_and_reads_back():
    recipes = shipped_recipes()
    assert {"hrstem", "hrtem", "hrsem", "lrstem", "lrtem", "lrsem", "atom-maps"} <= set(recipes)
    for name, description in recipes.items():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert description.endswith(".")
        assert recipe_from_text(recipe.text).text == recipe.text


def test_a_file_is_read_and_a_mistake_in_it_has_its_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "task: restoration\nname: mine\ndescription: Mine.\ndegradation: hrstem\nsize_px: 64\n"
    )
    assert load_recipe(path).part.size_px == 64
    path.write_text(path.read_text().replace("size_px: 64", "pixel_size_angstrom: [2, 1]"))
    with pytest.raises(RecipeError, match=r"mine\.yaml, line 5.*empty"):
        load_recipe(path)
    path.write_text(path.read_text().replace("hrstem", "hrstme"))
    with pytest.raises(RecipeError, match=r"mine\.yaml, line"):
        load_recipe(path)


def test_top_level_keys_can_be_changed():
    assert load_recipe("hrstem", {"size_px": 128}).part.size_px == 128


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task: dance\n", "line 1.*dance.*restoration"),
        ("name: x\n", "task is None"),
        ("", "no recipe"),
    ],
)
def test_texts_that_are_no_recipe_are_refused(text, said):
    with pytest.raises(RecipeError, match=said):
        recipe_from_text(text)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(RecipeError, match="did you mean hrstem"):
        load_recipe("hrstm")
    with pytest.raises(RecipeError, match="there are atom-maps"):
        load_recipe("zzz")


def test_a_recipe_may_be_based_on_another(tmp_path):
    (tmp_path / "small.yaml").write_text("based_on: hrtem\nname: small\nsize_px: 32\n")
    (tmp_path / "smaller.yaml").write_text("based_on: small.yaml\nsize_px: 16\n")
    smaller = load_recipe(tmp_path / "smaller.yaml")
    assert (smaller.name, smaller.part.size_px) == ("small", 16)
    assert smaller.chain == load_recipe("hrtem").chain
    assert smaller.part.specimen == load_recipe("hrstem").part.specimen


def test_a_circle_of_bases_or_a_missing_one_is_named_with_its_line(tmp_path):
    (tmp_path / "a.yaml").write_text("name: a\nbased_on: b.yaml\n")
    (tmp_path / "b.yaml").write_text("based_on: a.yaml\n")
    with pytest.raises(RecipeError, match=r"a\.yaml, line 2.*based on itself"):
        load_recipe(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("based_on: hrstm\n")
    with pytest.raises(RecipeError, match=r"b\.yaml, line 1.*did you mean hrstem"):
        load_recipe(tmp_path / "a.yaml")


def test_a_mistake_in_a_base_names_the_base_and_one_of_the_recipe_itself_that(tmp_path):
    (tmp_path / "base.yaml").write_text("based_on: hrtem\n\nsize_px: 8\n")
    (tmp_path / "child.yaml").write_text("based_on: base.yaml\nname: child\n")
    with pytest.raises(RecipeError, match=r"^\S*base\.yaml, line 3: size_px"):
        load_recipe(tmp_path / "child.yaml")
    (tmp_path / "child.yaml").write_text("based_on: base.yaml\nname: child\nsize_px: 9\n")
    with pytest.raises(RecipeError, match=r"^\S*child\.yaml, line 3: size_px"):
        load_recipe(tmp_path / "child.yaml")
    with pytest.raises(RecipeError, match=r"^the changes: size_px"):
        load_recipe(tmp_path / "child.yaml", {"size_px": 7})
