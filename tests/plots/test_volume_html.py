import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Octahedron

from crewe.atoms.volume import coordination_numbers
from crewe.plots.volume_html import volume_html


class Page(HTMLParser):
    """Tags with their attributes, and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self._inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "script"

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.scripts.append(data)

    def with_id(self, name):
        return next((tag, held) for tag, held in self.tags if held.get("id") == name)


@pytest.fixture
def particle():
    atoms = Octahedron("Pt", 5, cutoff=1)
    atoms.symbols[:7] = "Pd"
    number = coordination_numbers(atoms)
    probability = np.linspace(0, 1, len(atoms))
    probability[3] = np.nan
    atoms.set_array("coordination", number)
    atoms.set_array("surface", number < 12)
    atoms.set_array("column", np.arange(len(atoms)) // 3)
    atoms.set_array("count_probability", probability)
    return atoms


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_what_the_page_holds_are_the_atoms(particle):
    model = json.loads(Page(volume_html(particle)).scripts[0])
    assert model["count"] == len(particle)
    assert np.allclose(unpacked(model["places"], "<f4").reshape(-1, 3), particle.positions)
    names = np.array([element["name"] for element in model["elements"]])
    assert (names[unpacked(model["element"], "u1")] == particle.get_chemical_symbols()).all()
    assert np.array_equal(unpacked(model["column"], "<u4"), particle.arrays["column"])
    assert np.array_equal(unpacked(model["surface"], "u1"), particle.arrays["surface"])
    element, coordination, probability = model["ways"]
    assert [step["label"] for step in element["steps"]] == ["Pt", "Pd"]
    kinds = unpacked(coordination["class"], "u1")
    assert np.array_equal(kinds, particle.arrays["coordination"])
    assert coordination["steps"][1]["label"] == "1 neighbour"
    steps = unpacked(probability["class"], "u1")
    assert steps[[0, 3, -1]].tolist() == [0, 5, 4]
    assert len(probability["steps"]) == steps.max() + 1


def test_the_page_needs_nothing_from_anywhere(particle):
    text = volume_html(particle, title="t", note="n")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    page = Page(text)
    assert not [held for _, held in page.tags if "src" in held or "href" in held]
    policy = next(held for _, held in page.tags if held.get("http-equiv"))
    assert policy["content"].startswith("default-src 'none'")


def test_the_page_can_be_used_without_a_mouse_and_without_eyes(particle):
    page = Page(volume_html(particle))
    tag, canvas = page.with_id("view")
    assert (tag, canvas["tabindex"]) == ("canvas", "0")
    assert f"{len(particle)} atoms" in canvas["aria-label"]
    assert page.with_id(canvas["aria-describedby"])[0] == "dl"
    assert page.with_id("said")[1]["role"] == "status"
    assert all(name in page.scripts[1] for name in ("ArrowLeft", "ArrowUp", '"+"', '"0"'))
    # Every element that the script asks for by name is there.
    for name in set(re.findall(r'\$\("(\w+)"\)', page.scripts[1])):
        assert page.with_id(name)


def test_names_cannot_end_what_they_stand_in(particle):
    title = '</title></script><script>alert("$model")</script>'
    text = volume_html(particle, title=title, note="<b>&</b>")
    assert text.count("<script") == 2
    assert "&lt;/title&gt;" in text
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in text


def test_bare_atoms_are_shown_by_element_alone():
    text = volume_html(Atoms("Au", [[1.0, 2.0, 3.0]]))
    model = json.loads(Page(text).scripts[0])
    assert [way["name"] for way in model["ways"]] == ["element"]
    assert model["surface"] is None
    assert "1 atom." in text


def test_places_of_many_atoms_take_little_room():
    atoms = Atoms("Au2000", np.random.default_rng(0).uniform(0, 50, (2000, 3)))
    page = len(volume_html(atoms)) - len(volume_html(Atoms("Au", [[0, 0, 0]])))
    assert page < 2000 * 24
