"""Alignments that say nothing, nothing possible, or more than they should."""

import io
import zipfile

import pytest

from bad_input.damage import text
from bad_input.refusals import MATRIX

KEYPOINTS = "fixedX,fixedY,alignmentX,alignmentY\n"
GOOD = "1,0,5\n0,1,7\n0,0,1\n"
TABLES = {
    "it is a 2x2 matrix": ("1,0\n0,1\n", "3x3", "2 rows of 2"),
    "it is a 2x3 matrix": ("1,0,0\n0,1,0\n", "3x3"),
    "it is in micrometres": ("1000,0,0\n0,1000,0\n0,0,1\n", "H&E pixel 212.5 um"),
    "it is a matrix of words": ("a,b,c\nd,e,f\ng,h,i\n", "number"),
    "it has a NaN": ("1,0,nan\n0,1,0\n0,0,1\n", "nan"),
    "it has an infinity": ("1,0,inf\n0,1,0\n0,0,1\n", "inf"),
    "it has an empty cell": ("1,0,\n0,1,0\n0,0,1\n", "number"),
    "it is singular": ("1,1,0\n1,1,0\n0,0,1\n", "singular"),
    "it is all 0": ("0,0,0\n0,0,0\n0,0,1\n", "singular"),
    "it overflows": ("1e300,0,0\n0,1e300,0\n0,0,1\n", "larger"),
    "it is a perspective": ("1,0,0\n0,1,0\n0.5,0,1\n", "last row"),
    "it is separated by semicolons": ("1;0;0\n0;1;0\n0;0;1\n", "3x3"),
    "there are no keypoints": (KEYPOINTS, "keypoints", "found 0"),
    "there are two keypoints": (KEYPOINTS + "1,1,1,1\n2,3,2,3\n", "keypoints", "found 2"),
    "its keypoints lie on a line": (KEYPOINTS + "1,1,1,1\n2,2,2,2\n3,3,3,3\n", "line"),
    "its keypoints lie on one another": (KEYPOINTS + "1,1,1,1\n" * 4, "line"),
    "its keypoints lack a column": (
        "fixedX,fixedY,alignmentX\n1,1,1\n2,3,2\n4,4,4\n", "no alignmentY",
    ),
    "its keypoints have a row too short": (KEYPOINTS + "1,1,1,1\n2,3,2\n4,1,1,2\n", "length"),
    "its keypoints have a header below": (
        "1,1,1,1\n2,3,2,3\n4,1,1,2\n" + KEYPOINTS, "3x3",
    ),
    "it is in latin-1": ("1,0,0 µm\n0,1,0\n0,0,1\n", "UTF-8", "latin-1"),
    "it is in UTF-16": (GOOD, "UTF-8", "utf-16"),
    "it holds one endless cell": ("1" * 300_000, "csv"),
}  # fmt: skip
ENCODINGS = ("latin-1", "utf-16")


@pytest.mark.parametrize("case", TABLES)
def test_it_is_refused_as(slide, case):
    content, *words = TABLES[case]
    encoding = words.pop() if words[-1] in ENCODINGS else "utf-8"
    text(content, encoding)(slide.raw / MATRIX)
    slide.is_refused(slide.preflight(), MATRIX, *words)


READ = {
    "CRLF": GOOD.replace("\n", "\r\n").encode(),
    "a BOM": GOOD.encode("utf-8-sig"),
    "quotes": GOOD.replace("5", '"5"').encode(),
    "blanks and blank lines": GOOD.replace(",", " , ").replace("\n", "\n\n").encode(),
}


@pytest.mark.parametrize("how", READ)
def test_the_habits_of_spreadsheets_are_read(slide, how):
    (slide.raw / MATRIX).write_bytes(READ[how])
    status, said = slide.run(*slide.preflight())
    assert status == 0, said


def zipped(**members):
    return {name.replace("__", "/"): content for name, content in members.items()}


def written(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def encrypted(path):
    """Mark the member as encrypted, as every reader sees it first."""
    written(path, {"matrix.csv": GOOD})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def bomb(path):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("matrix.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(bytes(2**20))


def lying_bomb(path):
    """Expands to 100 MB and declares 20 bytes."""
    written(path, {"matrix.csv": bytes(100 * 2**20)})
    content = path.read_bytes()
    path.write_bytes(
        content.replace((100 * 2**20).to_bytes(4, "little"), (20).to_bytes(4, "little"))
    )


def of_many_members(path):
    written(path, {f"{n}.csv": "x" for n in range(20_000)}, zipfile.ZIP_STORED)


def nested(path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("matrix.csv", GOOD)
    written(path, {"export.zip": inner.getvalue()})


def of_unknown_method(path):
    written(path, {"matrix.csv": GOOD}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 97
    path.write_bytes(content)


def with_a_wrong_checksum(path):
    written(path, {"matrix.csv": GOOD}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"1,0,5", b"1,0,6"))


ZIPS = {
    "it has nothing": (lambda path: written(path, {}), "no csv"),
    "it has no table": (lambda path: written(path, {"readme.txt": "x"}), "no csv"),
    "it has two matrices": (lambda path: written(path, {"a.csv": GOOD, "b.csv": GOOD}), "one matrix"),
    "it climbs out of its folder": (lambda path: written(path, {"../../x.csv": GOOD}), "../../x.csv"),
    "it names a place of the machine": (lambda path: written(path, {"/etc/x.csv": GOOD}), "/etc/x.csv"),
    "it names a drive": (lambda path: written(path, {"C:\\x.csv": GOOD}), "x.csv"),
    "it is a bomb": (bomb, "matrix.csv", "bytes"),
    "it is a bomb that lies": (lying_bomb, "matrix.csv"),
    "it has thousands of tables": (of_many_members, "20000"),
    "it is encrypted": (encrypted, "encrypted"),
    "it holds another zip": (nested, "no csv"),
    "it is packed in an unknown way": (of_unknown_method, "matrix.csv"),
    "it has a wrong checksum": (with_a_wrong_checksum, "matrix.csv"),
}  # fmt: skip


@pytest.mark.parametrize("case", ZIPS)
def test_a_zip_is_refused_as(slide, case):
    make, *words = ZIPS[case]
    make(slide.raw / "export.zip")
    slide.is_refused(slide.preflight(alignment=slide.raw / "export.zip"), "export.zip", *words)
