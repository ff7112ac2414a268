import numpy as np

from crewe.testing.timepix3_phantom import Timepix3Phantom


def test_electrons_come_at_the_mean_number_in_a_disk_that_the_lattice_pushes():
    phantom = Timepix3Phantom(scan_shape=(32, 32), electrons=200, seed=4)
    times, pixels = phantom.electrons_of()
    assert (np.diff(times) >= 0).all()
    assert abs(len(times) / (200 * 1.1 * 1024) - 1) < 0.02
    row, within = np.divmod(times - 3840, phantom.period_ticks)
    column = within * 32 // phantom.line_ticks
    on = column < 32
    position = (row * 32 + column)[on]
    ky, kx = (places[on] - 255.5 for places in np.divmod(pixels.astype(float), 512))
    number = np.bincount(position)
    com = [np.bincount(position, k) / number for k in (ky, kx)]
    y, x = np.divmod(np.arange(1024), 32)
    noise = 20 / np.sqrt(200)  # a disk of radius 40 spreads by 20 pixels along each axis
    for got, place in zip(com, (y, x), strict=True):
        wrong = got - 8 * np.sin(2 * np.pi * place / 8)
        assert abs(wrong.mean()) < 4 * noise / 32
        assert abs(wrong.std() / noise - 1) < 0.1


def test_scans_differ_and_repeat_with_their_seed():
    phantom = Timepix3Phantom(scan_shape=(4, 4))
    assert (phantom.electrons_of(1)[1] == phantom.electrons_of(1)[1]).all()
    assert phantom.electrons_of(0)[1].tolist() != phantom.electrons_of(1)[1].tolist()


def test_line_signal_rises_and_falls_around_each_line():
    phantom = Timepix3Phantom(scan_shape=(3, 4), flyback=0.5)
    times, kinds, counts = phantom.edges(scan=2)
    begin = 3840 + (6 + np.arange(3)) * 4 * 3840 * 3 // 2
    assert times[::2].tolist() == begin.tolist()
    assert (times[1::2] - begin == 4 * 3840).all()
    assert kinds.tolist() == [0xF, 0xA] * 3
    assert counts.tolist() == [7, 7, 8, 8, 9, 9]
