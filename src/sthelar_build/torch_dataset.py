"""The patches of an exported dataset for PyTorch: ``from sthelar_build.torch_dataset import PatchDataset``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from sthelar_build.core.map_checks import nuclei_per_class
from sthelar_build.core.splits import SPLIT_NAMES
from sthelar_build.errors import InputError
from sthelar_build.io.patch_readers.choice import open_patches
from sthelar_build.io.patch_readers.reader import PatchMaps

Sample = dict[str, Any]
"""One patch, see ``PatchDataset.__getitem__``."""
Transform = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], tuple[NDArray[Any], ...]]
"""Takes image (h, w, 3), instance map and type map (h, w), and returns the three, changed alike."""

_VALID = {"val": "valid", "validation": "valid"}
"""What else people call the split."""


class PatchDataset(Dataset[Sample]):
    """Patches, by slide and then by number, one read at a time: memory does not grow with their number.

    >>> train = PatchDataset("results/dataset/40x", split="train")    # doctest: +SKIP
    >>> loader = DataLoader(train, batch_size=8, shuffle=True, num_workers=4)    # doctest: +SKIP

    Copies may be sent to worker processes, forked or spawned.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str | None = None,
        *,
        slides: Collection[str] | None = None,
        format: str | None = None,
        transform: Transform | None = None,
        as_float: bool = False,
    ) -> None:
        """Find the patches; InputError where there are none.

        Parameters
        ----------
        folder
            ``results/dataset/{scale}``, or the folder of one format in it.
        split
            train, valid (or val), or test; None takes every patch that was exported, also those that lie between two
            splits.
        slides
            Only these: folds of your own, such as one slide left out.
        format
            cellvit, pannuke or huggingface; None takes the first of these that is there. Of pannuke, the instances are
            numbered in another order.
        transform
            Changes image and maps together, as numpy arrays, before they become tensors; it must be picklable where
            workers are spawned.
        as_float
            Images as float32 from 0 to 1; else uint8.
        """
        self._reader = open_patches(Path(folder), format)
        chosen = _chosen(self._reader.patches, Path(folder), split, slides)
        self.class_names = self._reader.class_names
        """By the number that ``type_map`` has; Background is 0."""
        self.class_ids = {name: number for number, name in enumerate(self.class_names)}
        self.tissue_names = sorted(set(self._reader.patches["tissue"]))
        """By the number that ``tissue`` has: those of all patches, whatever the split."""
        self.patches = chosen[["name", "slide", "patch_id", "tissue", "split"]]
        """What is known of every patch: a row for each, in the order of the dataset."""
        self._places = chosen["place"].to_numpy()
        self._transform, self._as_float = transform, as_float

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Sample:
        """Return a patch.

        Returns
        -------
        ``image`` (3, h, w) uint8, or float32 from 0 to 1; ``instance_map`` (h, w) int32, 0 is background;
        ``type_map`` (h, w) int64, as ``cross_entropy`` takes it; ``cell_counts`` (C,) int64, nuclei of the classes 1 to C
        in the whole patch, before the transform; ``tissue``, its number; ``slide``; ``patch_id``, the number in its slide.
        """
        maps = self._reader.read(int(self._places[index]))
        counts = nuclei_per_class(maps.instances, maps.types, len(self.class_names) - 1)
        about = self.patches.iloc[index]
        return {
            **_tensors(self._changed(maps), self._as_float),
            "cell_counts": torch.from_numpy(counts),
            "tissue": self.tissue_names.index(about["tissue"]),
            "slide": str(about["slide"]),
            "patch_id": int(about["patch_id"]),
        }

    def _changed(self, maps: PatchMaps) -> PatchMaps:
        return maps if self._transform is None else PatchMaps(*self._transform(*maps))


def _tensors(maps: PatchMaps, as_float: bool) -> Mapping[str, torch.Tensor]:
    # A mirrored view has negative strides, which torch does not take.
    image = torch.from_numpy(np.array(maps.image.transpose(2, 0, 1), order="C"))
    return {
        "image": image.to(torch.float32) / 255 if as_float else image,
        "instance_map": torch.from_numpy(maps.instances.astype(np.int32)),
        "type_map": torch.from_numpy(maps.types.astype(np.int64)),
    }


def _chosen(
    patches: pd.DataFrame, folder: Path, split: str | None, slides: Collection[str] | None
) -> pd.DataFrame:
    name = _VALID.get(split or "", split)
    if name is not None and name not in SPLIT_NAMES:
        raise InputError(f"split: expected one of {', '.join(SPLIT_NAMES)}, found {split!r}")
    strangers = sorted(set(slides or ()) - set(patches["slide"]))
    if strangers:
        known = ", ".join(sorted(set(patches["slide"])))
        raise InputError(f"slides: expected some of {known}, found {', '.join(strangers)}")
    chosen = patches if name is None else patches[patches["split"] == name]
    if slides is not None:
        chosen = chosen[chosen["slide"].isin(list(slides))]
    if chosen.empty:
        raise InputError(
            f"{folder}: expected patches of the split {name or 'any'}, found none among {len(patches)}; "
            "choose others, or see the settings of collect (pannuke takes its splits from splits.parquet in the folder above)"
        )
    return chosen.reset_index(drop=True)
