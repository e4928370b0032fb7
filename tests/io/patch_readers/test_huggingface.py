"""The patches of the format huggingface are those that were exported, with their splits and tissues."""

import numpy as np
import pytest

from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.huggingface import HuggingfacePatches


@pytest.fixture(scope="module")
def exported(exported_dataset):
    source, folder = exported_dataset
    return source, folder / "huggingface"


def test_every_patch_is_what_was_exported(exported):
    source, folder = exported
    reader = HuggingfacePatches(folder)
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
    reader = HuggingfacePatches(folder)
    known = source.table.set_index("name")
    for row in reader.patches.itertuples():
        assert row.split == known.loc[row.name, "split"]
        assert row.tissue == known.loc[row.name, "tissue"]
    assert reader.class_names[:2] == ["Background", "T_NK"]
    assert len(reader.class_names) == 10


def test_a_folder_without_its_manifest_is_refused(exported, tmp_path):
    (tmp_path / "data").symlink_to(exported[1] / "data")
    with pytest.raises(InputError, match=r"manifest\.json"):
        HuggingfacePatches(tmp_path)
