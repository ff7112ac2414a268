import os

from crewe.workflows.portable_path import portable_path


def test_it_leads_from_the_folder_to_the_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path / "out", tmp_path / "far" / "away", tmp_path):
        told = portable_path(tmp_path / "data" / "gold.mib", folder)
        assert "\\" not in told
        assert os.path.normpath(folder / told) == str(tmp_path / "data" / "gold.mib")
        assert portable_path((tmp_path / "data" / "gold.mib").relative_to(tmp_path), folder) == told
