from pathlib import Path

import numpy as np

from crewe.sources.merlin.file import MerlinFile


def test_samples_are_read_as_by_rosettasciio(samples):
    from rsciio.quantumdetector import file_reader

    compared = 0
    for path in sorted(Path(samples).glob("*.mib")):
        if "RAW" in path.name and "notRAW" not in path.name:
            continue
        data = file_reader(str(path))[0]["data"]
        with MerlinFile(path) as source:
            patterns = np.concatenate([batch.patterns for batch in source.batches()])
            assert patterns.dtype.itemsize == data.dtype.itemsize
            assert np.array_equal(patterns, data.reshape(patterns.shape))
            assert source.counters.used == len(source) == len(patterns)
            compared += 1
    assert compared == 23


def test_lines_of_a_sample_come_from_the_header_times(samples):
    for name, shape in (("001_4x2_6bit", (256, 256)), ("002_4x2_6bit_roi128", (128, 256))):
        with MerlinFile(samples / f"{name}.mib") as source:
            assert source.scan.shape == (2, 4)
            assert source.scan_from == "pauses between lines in the header times"
            assert source.detector_shape == shape
            assert not source.counters.faults


def test_raw_samples(samples):
    for frames in (1, 9):
        path = samples / f"Quad_{frames}_Frame_CounterDepth_1_Rows_256RAW.mib"
        with MerlinFile(path) as source:
            batches = list(source.batches())
            assert sum(len(batch.patterns) for batch in batches) == frames
            assert np.array_equal(batches[0].patterns[0], source.frame(0))
            assert source.frame(0).shape == (512, 512)
            # The digits cover some percent of the chips.
            assert 0.03 < source.frame(frames - 1).mean() < 0.05
