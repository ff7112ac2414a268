from crewe.sources.timepix3.line_table import LineTable


def test_a_table_grows_and_forgets():
    table = LineTable()
    for number in range(5000):
        table.append(10 * number, 10 * number + 7, number)
        if number % 300 == 299:
            table.forget_below(number - 40)
    assert table.number.tolist() == list(range(4759, 5000))
    assert (table.begin == 10 * table.number).all()
    assert (table.end == table.begin + 7).all()
    assert table.forgotten


def test_nothing_below_is_nothing_forgotten():
    table = LineTable()
    table.append(1, 2, 5)
    table.forget_below(5)
    assert len(table) == 1
    assert not table.forgotten
