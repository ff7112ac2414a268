import base64

from crewe.workflows.report_words import figure_html, sentences, verdict_html


def test_what_is_not_decided_cannot_be_overlooked():
    loud = verdict_html("noise < signal", decided=False)
    assert "Not decided" in loud
    assert "warnings undecided" in loud
    assert "noise &lt; signal" in loud
    assert "warnings" not in verdict_html("fine", decided=True)


def test_sentences_are_escaped_and_none_is_nothing():
    assert sentences(["a < b"]) == "<ul><li>a &lt; b</li></ul>"
    assert sentences([]) == ""


def test_a_figure_is_embedded_whole():
    text = figure_html(b"png", "alt", "1 < 2")
    assert base64.b64encode(b"png").decode() in text
    assert "1 &lt; 2" in text
