"""Alignment files as users have them."""

import zipfile

import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.alignment import read_alignment

MATRIX = "0.01107,1.28958,807.98\n-1.28958,0.01107,73097.66\n0,0,1\n"
KEYPOINTS = "fixedX,fixedY,alignmentX,alignmentY\n10,20,1,2\n30,20,3,2\n10,50,1,5\n31,52,3,5\n"


def write(tmp_path, text, name="alignment.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def write_zip(tmp_path, **members):
    path = tmp_path / "alignment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__slash__", "/") + ".csv", text)
    return path


def test_a_matrix_maps_he_to_morphology(tmp_path):
    alignment = read_alignment(write(tmp_path, MATRIX))
    assert alignment.keypoints is None
    assert (alignment.matrix.source, alignment.matrix.target) == ("he", "morphology")
    assert alignment.matrix.matrix[1].tolist() == [-1.28958, 0.01107, 73097.66]


@pytest.mark.parametrize(
    "text",
    ["\ufeff" + MATRIX, MATRIX.replace("\n", "\r\n"), MATRIX.replace(",", ", "), MATRIX + "\n\n"],
    ids=["byte order mark", "windows", "spaces", "empty lines"],
)
def test_small_differences_of_writing_do_not_matter(tmp_path, text):
    assert read_alignment(write(tmp_path, text)).matrix.matrix[0, 2] == 807.98


def test_keypoints_are_fixed_then_he(tmp_path):
    fixed, he = read_alignment(write(tmp_path, KEYPOINTS)).keypoints
    assert fixed[1].tolist() == [30, 20]
    assert he[3].tolist() == [3, 5]


def test_the_order_of_keypoint_columns_does_not_matter(tmp_path):
    text = "name,alignmentX,alignmentY,fixedX,fixedY\na,1,2,10,20\nb,3,2,30,20\nc,1,5,10,50\n"
    fixed, he = read_alignment(write(tmp_path, text)).keypoints
    assert (fixed[0].tolist(), he[0].tolist()) == ([10, 20], [1, 2])


def test_an_explorer_zip_holds_both_whatever_their_names(tmp_path):
    path = write_zip(tmp_path, he_image_matrix=MATRIX, some__slash__keypoints=KEYPOINTS)
    alignment = read_alignment(path)
    assert alignment.matrix is not None
    assert len(alignment.keypoints[0]) == 4


@pytest.mark.parametrize("member", [{"a": MATRIX}, {"b": KEYPOINTS}])
def test_an_explorer_zip_may_hold_one(tmp_path, member):
    alignment = read_alignment(write_zip(tmp_path, **member))
    assert (alignment.matrix is None) != (alignment.keypoints is None)


def test_leftovers_of_a_mac_are_passed_over(tmp_path):
    path = write_zip(tmp_path, a_matrix=MATRIX, __MACOSX__slash___a_matrix="junk")
    assert read_alignment(path).matrix is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,0,0\n0,1,0\n", "3x3 matrix.*found 2 rows of 3 columns"),
        ("1,0,0,0\n0,1,0,0\n0,0,1,0\n0,0,0,1\n", "found 4 rows of 4 columns"),
        ("1,0\n0,1,0\n0,0,1\n", "found 3 rows of 2 or 3 columns"),
        ("", "found 0 rows of no columns"),
        ("1,a,0\n0,1,0\n0,0,1\n", "expected numbers.*'a'"),
        ("1,nan,0\n0,1,0\n0,0,1\n", "finite"),
        ("1,0,0\n0,1,0\n5,6,1\n", "expected 0, 0, 1 in the last row, found 5, 6, 1"),
        ("1,2,0\n2,4,0\n0,0,1\n", "singular"),
        ("fixedX,fixedY,alignmentX\n1,2,3\n", "found no alignmentY"),
        ("\n".join(KEYPOINTS.splitlines()[:3]), "at least 3 keypoints, found 2"),
        (
            "fixedX,fixedY,alignmentX,alignmentY\n1,1,1,1\n2,2,2,2\n3,3,3,3\n",
            "found all on one line",
        ),
        ("fixedX,fixedY,alignmentX,alignmentY\n1,1,1\n", "rows of different lengths"),
        (b"\xff\xfe\x00\x01", "csv in UTF-8"),
    ],
)
def test_every_mistake_has_its_own_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as error:
        read_alignment(write(tmp_path, text))
    assert "alignment.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_zip_without_a_csv_or_with_two_matrices_is_refused(tmp_path):
    with pytest.raises(InputError, match="found no csv"):
        read_alignment(write_zip(tmp_path))
    with pytest.raises(InputError, match=r"found a\.csv, b\.csv"):
        read_alignment(write_zip(tmp_path, a=MATRIX, b=MATRIX))


def test_a_mistake_within_a_zip_names_the_member(tmp_path):
    with pytest.raises(InputError, match=r"alignment\.zip: a\.csv: .*singular"):
        read_alignment(write_zip(tmp_path, a="0,0,0\n0,0,0\n0,0,1\n"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="found nothing"):
        read_alignment(tmp_path / "none.csv")
