"""The patches of the format pannuke are those that were exported, with their splits and tissues."""

import numpy as np
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.pannuke import PannukePatches


@pytest.fixture(scope="module")
def exported(exported_dataset):
    source, folder = exported_dataset
    return source, folder / "pannuke"


def test_every_patch_is_what_was_exported(exported):
    source, folder = exported
    reader = PannukePatches(folder)
    place_of = dict(zip(reader.patches["name"], reader.patches["place"], strict=True))
    assert len(place_of) == len(source)
    for slide in source.slides:
        for patch in source.of_slide(slide):
            image, instances, types = reader.read(place_of[patch.name])
            np.testing.assert_array_equal(image, patch.image)
            np.testing.assert_array_equal(types, np.append(0, patch.class_of)[patch.dense])
            assert_same_nuclei(instances, patch.dense)


def assert_same_nuclei(found, expected):
    """The maps draw the same nuclei; PanNuke numbers them in another order."""
    pairs = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    assert tuple(pairs[:, 0]) == (0, 0)
    assert found.max() == expected.max()


def test_splits_tissues_and_classes_are_known(exported):
    source, folder = exported
    reader = PannukePatches(folder)
    known = source.table.set_index("name")
    for row in reader.patches.itertuples():
        assert row.split == known.loc[row.name, "split"]
        assert row.tissue == known.loc[row.name, "tissue"]
    assert reader.class_names[:2] == ["Background", "T_NK"]
    assert len(reader.class_names) == 10


def test_without_the_table_of_splits_no_patch_is_in_any(exported, tmp_path):
    (tmp_path / "pannuke").symlink_to(exported[1])
    assert not PannukePatches(tmp_path / "pannuke").patches["split"].notna().any()


def test_an_npz_of_something_else_is_refused(exported, tmp_path):
    (tmp_path / "classes.json").write_text('{"T_NK": 1}')
    np.savez(tmp_path / "slide.npz", x=np.zeros((2, 3)))
    with pytest.raises(InputError, match="found no images, masks, patch_ids, types"):
        PannukePatches(tmp_path)
