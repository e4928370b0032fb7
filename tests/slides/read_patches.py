"""What every reader of an exported dataset must give back."""

from __future__ import annotations

import numpy as np

from sthelar_build.io.patch_readers.reader import PatchReader
from sthelar_build.io.patch_stream import PatchSource


def assert_patches_are_those_exported(reader: PatchReader, source: PatchSource) -> None:
    place_of = dict(zip(reader.patches["name"], reader.patches["place"], strict=True))
    assert len(place_of) == len(source)
    for slide in source.slides:
        for patch in source.of_slide(slide):
            image, instances, types = reader.read(place_of[patch.name])
            np.testing.assert_array_equal(image, patch.image)
            np.testing.assert_array_equal(types, np.append(0, patch.class_of)[patch.dense])
            assert_same_nuclei(instances, patch.dense)


def assert_same_nuclei(found: np.ndarray, expected: np.ndarray) -> None:
    """The maps draw the same nuclei; PanNuke numbers them in another order."""
    pairs = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    assert tuple(pairs[:, 0]) == (0, 0)
    assert found.max() == expected.max()


def assert_words_are_known(reader: PatchReader, source: PatchSource) -> None:
    """Splits, tissues and classes."""
    known = source.table.set_index("name")
    for row in reader.patches.itertuples():
        assert row.split == known.loc[row.name, "split"]
        assert row.tissue == known.loc[row.name, "tissue"]
    assert reader.class_names[:2] == ["Background", "T_NK"]
    assert len(reader.class_names) == 10
