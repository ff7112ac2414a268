import pytest

from crewe.errors import RecipeError
from crewe.recipes import Shelf, parse_yaml


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "tea.yaml").write_text("drink: tea\n")
    (folder / "green.yaml").write_text("based_on: tea\ncolour: green\n")
    return Shelf("recipe", folder)


def drinks(settings, lines, below):
    """Return what stands where, from the root base on."""
    return [*(below or []), (settings, lines.origin.rpartition("/")[2])]


def test_bases_come_before_what_is_based_on_them(shelf, tmp_path):
    (tmp_path / "mine.yaml").write_text("based_on: green\nsugar: 2\n")
    read = shelf.read(tmp_path / "mine.yaml", drinks)
    assert [origin for _, origin in read] == ["tea.yaml", "green.yaml", "mine.yaml"]
    assert read[-1][0] == {"based_on": "green", "sugar": 2}
    assert shelf.names() == ("green", "tea")


def test_a_file_lies_in_the_folder_of_the_recipe_that_names_it(shelf, tmp_path, monkeypatch):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "upper.yaml").write_text("drink: water\n")
    (inner / "beside.yaml").write_text("based_on: ../upper.yaml\n")
    (inner / "mine.yaml").write_text("based_on: beside.yaml\n")
    expected = ["upper.yaml", "beside.yaml", "mine.yaml"]
    assert [origin for _, origin in shelf.read(inner / "mine.yaml", drinks)] == expected
    assert [origin for _, origin in shelf.read("mine.yaml", drinks, inner)] == expected
    monkeypatch.chdir(inner)
    assert [origin for _, origin in shelf.read("mine.yaml", drinks)] == expected


def test_a_file_without_a_suffix_is_found_but_a_shipped_name_comes_first(shelf, tmp_path):
    for name in ("coffee", "tea"):
        (tmp_path / name).write_text(f"drink: strong {name}\n")
    assert shelf.read("coffee", drinks, tmp_path)[0][0] == {"drink": "strong coffee"}
    assert shelf.read("tea", drinks, tmp_path)[0][0] == {"drink": "tea"}


def test_nested_settings_have_bases_too(shelf):
    settings, lines = parse_yaml("based_on: tea\nmilk: yes\n", "own")
    assert [origin for _, origin in shelf.based(settings, lines, drinks)] == ["tea.yaml", "own"]


@pytest.mark.parametrize(
    "detour", ["a.yaml", "./a.yaml", "shipped/../a.yaml", "round/round/a.yaml"]
)
def test_a_circle_is_found_however_it_is_written(shelf, tmp_path, detour):
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a.yaml").write_text("x: 1\nbased_on: b.yaml\n")
    (tmp_path / "b.yaml").write_text(f"based_on: {detour}\n")
    with pytest.raises(RecipeError, match=r"a\.yaml, line 2: .*b\.yaml, line 1: .* on itself"):
        shelf.read(tmp_path / "a.yaml", drinks)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("gren", "did you mean green. there are green, tea"),
        ("zzz", "called 'zzz': there are green, tea"),
        ("x" * 5000, "there are green"),
        ("\0.yaml", "there are green"),
        ("absent.yaml", r"absent\.yaml cannot be read"),
        ("", "there are green"),
    ],
)
def test_what_cannot_be_found_is_refused(shelf, tmp_path, wanted, said):
    with pytest.raises(RecipeError, match=said):
        shelf.read(wanted, drinks, tmp_path)


@pytest.mark.parametrize("base", ["3", "[tea]", "{a: tea}", "absent.yaml", "te"])
def test_a_base_that_is_none_is_named_with_its_line(shelf, tmp_path, base):
    (tmp_path / "mine.yaml").write_text(f"x: 1\nbased_on: {base}\n")
    with pytest.raises(RecipeError, match=r"mine\.yaml, line 2: "):
        shelf.read(tmp_path / "mine.yaml", drinks)


def test_a_base_of_nothing_is_none(shelf):
    assert shelf.based({"based_on": None}, parse_yaml("a: 1")[1], drinks)[0][0] == {
        "based_on": None
    }
