from crewe.workflows.emulator_report_html import report_html, table_html


def test_cells_are_told_as_people_read_them():
    rows = [{"pair": "00", "pixels": 12345, "one_minus_r2": 0.0123456, "log": True, "spread": None}]
    said = table_html(rows)
    for cell in ("00", "12,345", "0.01235", "yes", "–"):
        assert f"<td>{cell}</td>" in said
    assert "1 − R²" in said


def test_names_cannot_break_the_page():
    said = report_html("<b>&", {"a<": 'x"'}, {"parity": b"png"}, {"images": [{"<i>": "<u>"}]})
    for raw in ("<b>", "<i>", "<u>", "a<<"):
        assert raw not in said
    assert "&lt;b&gt;&amp;" in said


def test_empty_tables_are_left_out():
    assert "<h2>" not in report_html("t", {}, {}, {"selection": []})
