import json

from crewe import io
from crewe.cli.main import main


def test_info_lists_axes_with_units(image, capsys):
    assert main(["info", "gold.tif"]) == 0
    assert "0.2 Å" in capsys.readouterr().out
    assert main(["info", "gold.tif", "--json"]) == 0
    (signal,) = json.loads(capsys.readouterr().out)["signals"]
    assert signal["dims"] == ["y", "x"]
    assert signal["shape"] == [72, 84]
    assert signal["units"] == ["Å", "Å"]


def test_info_of_several_files_goes_on_after_a_bad_one(image, folder, capsys):
    (folder / "a.tif").write_bytes(b"")
    assert main(["info", "a.tif", "gold.tif", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["path"] == "gold.tif"
    assert said.err.startswith("crewe: a.tif")
    (folder / "a.tif").write_bytes(image.read_bytes())
    assert main(["info", "*.tif"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith((" ", "signal"))] == ["a.tif", "gold.tif"]


def test_info_of_nothing(folder, capsys):
    assert main(["info", "none.dm4"]) == 1
    assert capsys.readouterr().err.startswith("crewe: ")


def test_convert_keeps_pixels_and_calibration(image, folder, capsys):
    assert main(["convert", "gold.tif", "gold.hspy"]) == 0
    before, after = io.read_image(image), io.read_image(folder / "gold.hspy")
    assert (before.values == after.values).all()
    assert abs(float(after["x"][1] - before["x"][1])) < 1e-9
    assert main(["convert", "gold.tif", "gold.hspy"]) == 1
    assert "exists" in capsys.readouterr().err
