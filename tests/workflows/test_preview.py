import numpy as np
import pytest
from PIL import Image

from crewe.errors import WriteError
from crewe.training_sets.sample import Sample
from crewe.workflows.preview import readable_fact, write_preview


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("field_of_view_angstrom", 49.87654, "field of view 49.88 Å"),
        ("dose_e_per_angstrom2", 1234.5, "dose 1234 e/Å²"),
        ("semi_angle_mrad", 20, "semi angle 20 mrad"),
        ("zone_axis", "110", "zone axis 110"),
        ("tilted", True, "tilted True"),
    ],
)
def test_facts_carry_their_unit_behind_the_number(key, value, said):
    assert readable_fact(key, value) == said


def test_a_preview_has_a_row_for_each_sample(tmp_path):
    image = np.random.default_rng(1).random((200, 200)).astype(np.float32)
    samples = [(i, Sample({"a": image, "b": image}, {"x": i})) for i in range(3)]
    write_preview(samples, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 + 2 * 208, 8 + 3 * (26 + 18 + 200 + 8) + 20)
    before = (tmp_path / "sheet.png").read_bytes()
    with pytest.raises(WriteError, match="exists"):
        write_preview(samples[:1], tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes() == before
