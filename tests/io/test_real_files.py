"""Files that microscopes and other programs wrote: shape, axes and Å as their makers meant."""

from pathlib import Path

import numpy as np
import pytest

from crewe.errors import CreweError, ImageError, ReadError
from crewe.io import list_signals, read, read_image, read_table

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="real files are not part of the repository"
)

YX, STACK, SPECTRA = ("y", "x"), ("frame", "y", "x"), ("y", "x", "energy")
READABLE = [
    ("atomic/BTO_crystal_1.dm4", YX, (413, 469), 0.29659930616617203, "Å"),
    ("atomic/atomagined_010438.000101.h5", YX, (256, 256), 1, "px"),
    ("atomic/atomagined_020790.010102.h5", YX, (256, 256), 1, "px"),
    ("atomic/atomap_detector_image.hspy", YX, (512, 512), 310.36470055905062, "Å"),
    ("atomic/atomap_simulated_nanoparticle.hspy", YX, (220, 300), 1, "px"),
    ("atomic/atomsegnet_03_afterimage_8nm_crp.png", YX, (730, 730), 1, "px"),
    ("atomic/atomsegnet_Si110_5nmX25us_03.png", YX, (512, 512), 1, "px"),
    ("atomic/graphene_flower_raw.tif", YX, (256, 256), 1, "px"),
    ("atomic/hpai_PtNC_034.tif", YX, (512, 512), 0.29296875, "Å"),
    ("atomic/katsuno_lowdoseTEM_0001.tif", YX, (512, 512), 29.884567484259605, "Å"),
    ("atomic/ncem_16_STOimage_1.ser", YX, (1024, 1024), 0.10012704240403384, "Å"),
    ("atomic/sac_Ptporph0.tif", YX, (512, 512), 1, "px"),
    ("atomic/statstem_Example3.mat", YX, (241, 246), 0.3109, "Å"),
    ("atomic/statstem_ExampleCsPbBr3.mat", YX, (241, 246), 0.3109, "Å"),
    ("atomic/statstem_ExamplePtIr_old.mat", YX, (512, 512), 0.1211, "Å"),
    ("atomic/temimagenet_11133.png", YX, (256, 256), 1, "px"),
    ("atomic/temimagenet_12028.png", YX, (256, 256), 1, "px"),
    ("atomic/tkrem_exp_hrstem.h5", ("frame", "axis1", "y", "x"), (5, 1, 768, 768), 1, "px"),
    ("atomic/tkrem_hrstem_example.ser", YX, (1024, 1024), 0.5240719457348393, "Å"),
    ("atomic/tomoTV_FePt.tif", YX, (256, 256), 1, "px"),
    ("lowres/FEI_03_Scanning_Preview_1.ser", STACK, (5, 128, 128), 3.843524875139251, "Å"),
    ("lowres/JEOL_HAADF_Image.dm4", YX, (112, 112), 12.490135850384831, "Å"),
    ("lowres/dm3_test_STEM_image.dm3", YX, (68, 68), 2.4853801727294922, "Å"),
    ("lowres/dm3_um_unit.dm3", YX, (68, 68), 1686.7469251155853, "Å"),
    ("lowres/emps_07330c8ea1.png", YX, (526, 512), 1, "px"),
    ("lowres/emps_07330c8ea1_mask.png", YX, (526, 512), 1, "px"),
    ("lowres/fei_example_dpc_titles.emd", YX, (2, 2), 0.9961991555830654, "Å"),
    ("lowres/mrc_HAADFscan.mrc", YX, (16, 16), 56.79131317138672, "Å"),
    ("lowres/ncem_After_HAADF_130mm_1.ser", YX, (1024, 1024), 32.70361189345877, "Å"),
    ("lowres/ncem_Ceta_Imaging.emd", YX, (512, 512), 31.388370544495516, "Å"),
    ("lowres/ncem_STEM_HAADF-DF4-DF2-BF.emd", YX, (128, 128), 873.7079614225583, "Å"),
    ("chem/Co3O4_Mn3O4.h5", YX, (400, 400), 1, "px"),
    ("chem/EELS_SI_dm4.dm4", ("y", "x", "energy"), (2, 2, 2048), 19.9207, "Å"),
    ("chem/bcf_test_TEM.bcf", YX, (64, 64), 7.71004754204027, "Å"),
    ("chem/espm_88_ES-LP_G8.hspy", ("y", "x", "energy"), (80, 80, 1917), 98.5911335721014, "Å"),
    ("chem/nist_bare_core.hspy", ("y", "x", "energy"), (84, 84, 992), 5.0, "Å"),
    ("4dstem/blockfile_test1.blo", ("y", "x", "ky", "kx"), (3, 2, 144, 144), 128.0, "Å"),
    ("4dstem/mib_epsic_test_12bit_notRAW_1frame.mib", YX, (512, 512), 1, "px"),
    ("4dstem/mib_epsic_test_1bit_notRAW_1frame.mib", YX, (512, 512), 1, "px"),
    ("4dstem/mib_epsic_test_6bit_notRAW_1frame.mib", YX, (512, 512), 1, "px"),
    ("4dstem/mib_read_mib_example.mib", STACK, (2, 256, 256), 1, "px"),
    ("4dstem/mib_skued_test.mib", YX, (256, 256), 1, "px"),
    ("4dstem/tia_4D_16x16-diffraction_5x5x256x256.ser", SPECTRA, (5, 5, 4000), 18.739004, "Å"),
]  # fmt: skip
UNREADABLE = [
    ("atomic/hpai_PtNC_034_labels.csv", "read_table"),
    ("chem/velox_EELS_EDS.zip", "zip archive"),
    ("4dstem/mib_epsic_test_12bit_RAW_1frame.mib", "cannot be read yet"),
    ("4dstem/mib_epsic_test_24bit_RAW_1frame.mib", "cannot be read yet"),
    ("4dstem/mib_epsic_test_12bit_RAW_1frame.hdr", "give the .mib file"),
    ("4dstem/tpx3_nsls_raw_00.tpx3", "event stream"),
    ("statstem/Pt110.txt", "no image format"),
    ("structures/Au-Gold.cif", "read_atoms"),
]


@pytest.mark.parametrize(("name", "dims", "shape", "step", "unit"), READABLE)
def test_shape_and_pixel_size(name, dims, shape, step, unit):
    array = read(DATA / name)
    assert (array.dims, array.shape) == (dims, shape)
    info = next(info for info in list_signals(DATA / name) if info.name == (array.name or ""))
    assert info.units[info.dims.index("x")] == unit
    assert info.sampling[info.dims.index("x")] == pytest.approx(step, rel=1e-5)
    assert info.sampling[info.dims.index("y")] == pytest.approx(step, rel=1e-5)
    assert array.dtype.isnative


@pytest.mark.parametrize(("name", "message"), UNREADABLE)
def test_other_files_are_refused_in_one_line(name, message):
    with pytest.raises(ReadError, match=message) as caught:
        read(DATA / name)
    assert "\n" not in str(caught.value)


def complaint(path):
    try:
        read(path)
    except CreweError as error:
        return str(error)
    return ""


def test_every_other_file_is_read_or_refused_in_one_line():
    known = {name for name, *_ in READABLE}
    for folder in ("atomic", "lowres", "chem", "4dstem", "statstem", "restore_pairs"):
        for path in sorted((DATA / folder).iterdir()):
            if f"{folder}/{path.name}" not in known:
                assert "\n" not in complaint(path)


def test_a_falling_axis_keeps_the_order_of_the_data():
    array = read(DATA / "4dstem/tia_4D_16x16-diffraction_5x5x256x256.ser")
    assert np.all(np.diff(array.y) < 0)
    assert np.all(np.diff(array.x) > 0)
    # The offset is stored in metres: 6.28 nm above the centre.
    assert float(array.y[0]) == pytest.approx(-62.80772639119873)


def test_one_image_of_a_stack_must_be_chosen():
    path = DATA / "atomic/tkrem_exp_hrstem.h5"
    with pytest.raises(ReadError, match="--frame 0…4 or --frame mean"):
        read_image(path)
    stack = read(path).values[:, 0]
    assert np.array_equal(read_image(path, frame=3).values, stack[3])
    assert np.allclose(read_image(path, frame="mean"), stack.mean(0), rtol=1e-6)
    image = read_image(path, frame=0, sampling=0.05, sampling_unit="nm")
    assert float(image.x[1]) == pytest.approx(0.5)
    with pytest.raises(ReadError, match="--frame 0…4"):
        read_image(path, frame=5)


def test_the_best_signal_is_chosen_and_others_by_name():
    path = DATA / "lowres/ncem_STEM_HAADF-DF4-DF2-BF.emd"
    assert read(path).attrs["signal"] == "HAADF"
    assert read(path, signal="bf").attrs["signal"] == "BF"
    assert np.array_equal(read(path, signal=1), read(path, signal="DF2"))
    with pytest.raises(ReadError, match="it holds 0 'HAADF'"):
        read(path, signal="EDX")
    with pytest.raises(ReadError, match="no signal 4"):
        read(path, signal=4)
    assert read(DATA / "atomic/atomagined_010438.000101.h5").attrs["signal"] == "haadf/raw"


def test_prismatic_labels_angstrom_as_nanometre():
    potential = read(DATA / "4dstem/prismatic_Si100_DPC.emd", signal="ppotential")
    # Sixteen pixels span one cell of silicon.
    assert float(potential.x[1]) * 16 == pytest.approx(5.43, abs=0.001)


def test_complex_signals_are_no_images():
    with pytest.raises(ImageError, match="choose a real signal"):
        read_image(DATA / "lowres/fei_example_dpc_titles.emd", signal="DPC")


def test_beam_energy_is_kept():
    assert read(DATA / "lowres/ncem_Ceta_Imaging.emd").attrs["beam_energy_kev"] > 20


def test_statstem_keeps_every_matrix_on_the_grid_of_its_image():
    infos = list_signals(DATA / "atomic/statstem_Example3.mat")
    assert infos[0].name == "input.obs"
    model = next(info for info in infos if info.name == "output.model")
    assert model.sampling == infos[0].sampling


def test_foreign_tables_are_read():
    table = read_table(DATA / "atomic/sac_Ptporph0_labels.csv")
    assert list(table.columns) == ["X", "Y"]
    assert len(table) == 5
