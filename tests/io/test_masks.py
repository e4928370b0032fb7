"""The folder of masks there and back."""

import json
import shutil

import numpy as np
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io import map_chunks
from sthelar_build.io.masks import MasksWriter, ShownNuclei, open_masks
from sthelar_build.io.provenance import provenance

ROWS, COLUMNS, SIDE = 3, 4, 8


def maps(seed, n=COLUMNS):
    return np.random.default_rng(seed).integers(0, 2**32, (n, SIDE, SIDE), dtype=np.uint32)


def entries(patch_ids):
    n = len(patch_ids)
    return {
        "patch_id": np.array(patch_ids, dtype=np.uint32),
        "nucleus_id": np.arange(1, n + 1, dtype=np.uint32),
        "class_index": np.ones(n, dtype=np.uint8),
        "visible_px": np.full(n, 12),
        "visible_fraction": np.ones(n, dtype=np.float32),
        "touches_border": np.zeros(n, dtype=bool),
    }


@pytest.fixture
def folder(tmp_path):
    with MasksWriter(tmp_path / "masks", ROWS, COLUMNS, SIDE, provenance("test")) as writer:
        writer.write_maps(1, maps(1))
        writer.write_maps(0, maps(0, n=2))
        writer.write_maps(2, np.zeros((COLUMNS, SIDE, SIDE), np.uint32))
        writer.write_table(entries([0, 0, 1]))
        writer.write_table(entries([4, 7]))
        writer.finish({"um_per_px": 0.25})
    return tmp_path / "masks"


def test_maps_are_found_by_patch_whatever_the_order_of_writing(folder):
    masks = open_masks(folder)
    assert (masks.n_patches, masks.side_px) == (12, SIDE)
    np.testing.assert_array_equal(masks.instances(5), maps(1)[1])
    np.testing.assert_array_equal(masks.instances_between(4, 8), maps(1))
    assert masks.instances(1).dtype == np.uint32
    np.testing.assert_array_equal(masks.instances(np.uint32(5)), maps(1)[1])


def test_patches_that_were_not_drawn_are_background(folder):
    masks = open_masks(folder)
    assert not masks.instances_between(2, 4).any()
    assert not masks.instances_between(8, 12).any()


def test_a_row_of_the_grid_is_one_file_and_an_empty_one_is_none(folder):
    files = [path for path in (folder / "instances.zarr" / "c").rglob("*") if path.is_file()]
    assert len(files) == 2


def test_the_table_comes_whole_or_in_part(folder):
    masks = open_masks(folder)
    assert masks.table.patch_id.tolist() == [0, 0, 1, 4, 7]
    assert masks.table_between(1, 5).patch_id.tolist() == [1, 4]


def test_a_patch_beyond_the_grid_is_an_error(folder):
    with pytest.raises(IndexError):
        open_masks(folder).instances(12)


def test_a_folder_without_manifest_is_not_whole(folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"manifest\.json"):
        open_masks(folder)


def test_a_manifest_of_other_masks_is_refused(folder):
    record = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**record, "n_patches": 13}))
    with pytest.raises(
        InputError, match=r"expected 13 patches of 8 px.*found an array \(3, 4, 8, 8\)"
    ):
        open_masks(folder)


def test_maps_that_are_gone_are_missed(folder):
    shutil.rmtree(folder / "instances.zarr")
    with pytest.raises(InputError, match="expected a zarr array"):
        open_masks(folder)


def test_shown_nuclei_are_read_by_slide_when_asked(folder):
    nuclei = ShownNuclei(
        {"s1": folder / "manifest.json", "gone": folder / "none" / "manifest.json"}
    )
    assert list(nuclei) == ["s1", "gone"]
    assert nuclei["s1"].to_numpy().tolist() == [[0, 1], [0, 2], [1, 3], [4, 1], [7, 2]]
    with pytest.raises(InputError, match="found nothing"):
        nuclei["gone"]


@pytest.mark.parametrize(("start", "stop"), [(0, 12), (1, 7), (3, 5), (5, 5)])
def test_maps_come_one_by_one_as_they_come_together(tmp_path, start, stop, monkeypatch):
    monkeypatch.setattr(map_chunks, "_MOST_COLUMNS", 3)
    with MasksWriter(tmp_path / "masks", ROWS, COLUMNS, SIDE, provenance("test")) as writer:
        for row in range(ROWS):
            writer.write_maps(row, maps(row))
        writer.finish({"um_per_px": 0.25})
    opened = open_masks(tmp_path / "masks")
    expected = np.concatenate([maps(row) for row in range(ROWS)])[start:stop]
    one_by_one = list(opened.each_between(start, stop))
    assert np.array_equal(one_by_one, expected) or start == stop
    assert len(one_by_one) == stop - start
    together = opened.instances_between(start, stop)
    assert all(np.array_equal(one, two) for one, two in zip(one_by_one, together, strict=True))
