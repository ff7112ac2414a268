"""Write a .dm4 file as Gatan's program lays it out: tags within tags, big-endian but for values."""

import struct

import numpy as np

PLACE_OF_PIXELS = b"pixels come here"
UNSIGNED_16_BIT = 10


def data_tag(name, described, value):
    content = b"%%%%" + struct.pack(f">{len(described) + 1}Q", len(described), *described) + value
    return b"\x15" + struct.pack(f">H{len(name)}sQ", len(name), name, len(content)) + content


def number(name, value):
    return data_tag(name, [5], struct.pack("<I", value))


def real(name, value):
    return data_tag(name, [6], struct.pack("<f", value))


def text(name, value):
    return data_tag(name, [20, 4, len(value)], value.encode("utf-16-le"))


def group(name, *tags):
    content = struct.pack(">BBQ", 0, 0, len(tags)) + b"".join(tags)
    return b"\x14" + struct.pack(f">H{len(name)}sQ", len(name), name, len(content)) + content


def calibration(name, scale, unit):
    return group(name, real(b"Origin", 0), real(b"Scale", scale), text(b"Units", unit))


def write_dm4(path, shape, axes, pixels=None):
    """`axes` are (scale, unit) of each dimension; without pixels they are zeros, in a hole."""
    axes_tags = [calibration(b"", *axis) for axis in reversed(axes)]
    image = group(
        b"",
        group(
            b"ImageData",
            group(
                b"Calibrations",
                calibration(b"Brightness", 1, ""),
                group(b"Dimension", *axes_tags),
            ),
            data_tag(b"Data", [20, 4, int(np.prod(shape))], PLACE_OF_PIXELS),
            number(b"DataType", UNSIGNED_16_BIT),
            group(b"Dimensions", *[number(b"", size) for size in reversed(shape)]),
            number(b"PixelDepth", 2),
        ),
        group(b"ImageTags"),
        text(b"Name", "scan"),
    )
    root = struct.pack(">BBQ", 0, 0, 2) + group(b"ImageList", image) + number(b"InImageMode", 1)
    before, after = root.split(PLACE_OF_PIXELS)
    with path.open("wb") as file:
        file.write(struct.pack(">IQI", 4, len(root), 1) + before)
        if pixels is None:
            file.seek(2 * int(np.prod(shape)), 1)
        else:
            file.write(pixels.astype("<u2").tobytes())
        file.write(after + bytes(8))
