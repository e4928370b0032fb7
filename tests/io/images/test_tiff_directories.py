"""A TIFF that was cut short is told from its directories, wherever they stand."""

import struct

import numpy as np
import pytest
import tifffile

from sthelar_build.errors import InputError
from sthelar_build.io.images.tiff_directories import check_directories


def tiff(path, *, order="<", big=False, entries=(), following=0, extra=b""):
    """Write one directory by hand: entries are (tag, type, count, value or offset)."""
    mark = b"II" if order == "<" else b"MM"
    offset, count = ("Q", "Q") if big else ("I", "H")
    head = (
        mark + struct.pack(order + "HHHQ", 43, 8, 0, 16)
        if big
        else mark + struct.pack(order + "HI", 42, 8)
    )
    body = struct.pack(order + count, len(entries))
    for tag, kind, n, value in entries:
        kind = kind or (16 if big else 4)  # an offset
        body += struct.pack(order + "HH" + 2 * offset, tag, kind, n, value)
    path.write_bytes(head + body + struct.pack(order + offset, following) + extra)
    return path


FORMS = [{"order": order, "big": big} for order in "<>" for big in (False, True)]


@pytest.fixture(
    params=FORMS, ids=lambda form: f"{'Big' if form['big'] else ''}TIFF {form['order']}"
)
def form(request):
    return request.param


def test_a_directory_that_is_whole_passes(tmp_path, form):
    check_directories(tiff(tmp_path / "t.tif", **form, entries=[(256, 3, 1, 7)], extra=bytes(8)))


@pytest.mark.parametrize(
    "broken",
    [
        {"following": 5000},
        {"entries": [(330, None, 1, 5000)]},
        {"entries": [(324, 16, 9, 5000)]},
        {"entries": [(347, 7, 100, 20)]},
        {"entries": [(270, 2, 2**31, 8)]},
    ],
    ids=["next image", "SubIFD", "tile offsets", "JPEG tables", "description"],
)
def test_what_lies_beyond_the_end_is_refused_in_one_line(tmp_path, form, broken):
    path = tiff(tmp_path / "t.tif", **form, **broken, extra=bytes(8))
    with pytest.raises(
        InputError, match=r"t\.tif: expected a whole directory .*truncated"
    ) as error:
        check_directories(path)
    assert "\n" not in str(error.value)


def test_a_value_that_no_pixel_hangs_on_may_be_lost(tmp_path, form):
    entries = [(305, 2, 100, 5000), (65000, 7, 100, 5000)]
    check_directories(tiff(tmp_path / "t.tif", **form, entries=entries, extra=bytes(8)))


def test_directories_that_point_to_each_other_end(tmp_path, form):
    start = 16 if form["big"] else 8
    check_directories(tiff(tmp_path / "t.tif", **form, following=start, extra=bytes(8)))


@pytest.mark.parametrize("content", [b"", b"II", b"not an image at all", b"II\x2a\x01" + bytes(20)])
def test_what_is_no_tiff_is_left_to_its_reader(tmp_path, content):
    (tmp_path / "t.tif").write_bytes(content)
    check_directories(tmp_path / "t.tif")


def test_every_cut_of_a_file_whose_directory_stands_at_its_end_is_seen(tmp_path):
    with tifffile.TiffWriter(tmp_path / "whole.tif") as writer:
        for side in (64, 32):
            writer.write(np.ones((side, side), np.uint8), metadata=None)
    data = (tmp_path / "whole.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "whole.tif") as whole:
        last = whole.pages[1].offset
    for length in (20, 100, last, last + 1, last + 40):
        (tmp_path / "cut.tif").write_bytes(data[:length])
        with pytest.raises(InputError, match="truncated"):
            check_directories(tmp_path / "cut.tif")
