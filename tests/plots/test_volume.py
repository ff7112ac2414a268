import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Octahedron
from matplotlib.collections import EllipseCollection

from crewe.atoms.volume import coordination_numbers
from crewe.plots import png_bytes
from crewe.plots.volume import ALONG_BEAM, FROM_BELOW, FROM_RIGHT, seen_atoms, volume_figure


@pytest.fixture
def particle():
    atoms = Octahedron("Pt", 7, cutoff=2)
    atoms.set_array("coordination", coordination_numbers(atoms))
    return atoms


def test_each_view_shows_the_particle_and_the_legend_counts_it(particle):
    figure = volume_figure(particle, title="a particle")
    beam, right, below, legend = figure.axes
    for panel, (across, down) in ((beam, (0, 1)), (right, (2, 1)), (below, (0, 2))):
        (discs,) = (one for one in panel.collections if isinstance(one, EllipseCollection))
        drawn = discs.get_offsets()[::2]
        for place in np.unique(particle.positions[:, [across, down]].round(6), axis=0):
            assert np.abs(drawn - place).sum(axis=1).min() < 1e-4
        assert panel.get_ylim()[0] > panel.get_ylim()[1]
    words = [text.get_text() for text in legend.get_legend().get_texts()]
    kinds, count = np.unique(particle.arrays["coordination"], return_counts=True)
    assert words == [f"{kind}: {number} atoms" for kind, number in zip(kinds, count, strict=True)]
    assert png_bytes(figure, 60).startswith(b"\x89PNG")


@pytest.mark.parametrize("view", [ALONG_BEAM, FROM_RIGHT, FROM_BELOW])
def test_views_are_not_mirrored(view):
    # right × down = away from the eye, as with x right, y down and the beam into the page.
    right, down, away = np.eye(3)[view.right], np.eye(3)[view.down], np.eye(3)[view.away[0]]
    assert np.array_equal(np.cross(right, down), view.away[1] * away)


def test_nearer_atoms_are_drawn_last_and_hidden_ones_not_at_all():
    chain = np.column_stack([np.zeros((8, 2)), 3.0 * np.arange(8)])
    assert seen_atoms(chain, ALONG_BEAM, 3.0).tolist() == [2, 1, 0]
    assert set(seen_atoms(chain, FROM_RIGHT, 3.0)) == set(range(8))
    behind = np.array([[0.0, 5.0, 0.0], [0.0, 0.0, 0.0]])
    assert seen_atoms(behind, FROM_BELOW, 3.0).tolist() == [1, 0]


def test_a_single_atom_and_given_numbers():
    figure = volume_figure(Atoms("Au", [[1.0, 1.0, 1.0]]), np.array([0]))
    assert figure.axes[3].get_legend().get_texts()[0].get_text() == "0: 1 atom"
    assert png_bytes(figure, 60).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("title", "left_out", "heading"),
    [
        ("a particle", 0, "a particle"),
        ("a particle", 1, "a particle, 1 column without a count left out"),
        ("", 13, "13 columns without a count left out"),
    ],
)
def test_the_title_tells_what_is_not_in_the_model(particle, title, left_out, heading):
    assert volume_figure(particle, title=title, left_out=left_out).get_suptitle() == heading
