"""Quality of the predictions of a dataset: means over its patches, by tissue and by class, as CellViT reports them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sthelar_build.core.agreement import Agreement
from sthelar_build.core.class_quality import ClassQuality, nan_mean
from sthelar_build.core.detection import DetectionCounts

IMAGE_METRICS = ("Dice", "Jaccard", "bPQ")
TISSUE_METRICS = (*IMAGE_METRICS, "mPQ")
DATASET_METRICS = (*IMAGE_METRICS, "bDQ", "bSQ", "mPQ", "mDQ", "mSQ")

Means = dict[str, float]


class PatchQuality(NamedTuple):
    """All that is measured on one patch."""

    name: str
    tissue: str
    binary: Agreement
    classes: ClassQuality
    detection: DetectionCounts


class DatasetQuality:
    """Gathers patches; means leave out what is undefined, and are NaN if nothing is left.

    Patches in which nothing is true nor predicted have a Dice of 0 that enters the mean, as in the original: leave them out
    where that is not wanted.
    """

    def __init__(self, n_types: int) -> None:
        """Take the number of types, the background included."""
        self._names: list[str] = []
        self._tissues: list[str] = []
        self._rows: list[tuple[float, ...]] = []
        self._pq: list[NDArray[np.float64]] = []
        self.detection = DetectionCounts.none(n_types)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, patch: PatchQuality) -> None:
        """Take one patch."""
        binary, mean = patch.binary, patch.classes.mean()
        self._names.append(patch.name)
        self._tissues.append(patch.tissue)
        self._rows.append(
            (
                *(binary.dice, binary.jaccard, binary.bpq, binary.bdq, binary.bsq),
                *(mean.pq, mean.dq, mean.sq),
            )
        )
        self._pq.append(patch.classes.pq)
        self.detection += patch.detection

    def dataset(self) -> Means:
        """Return the means of ``DATASET_METRICS`` over all patches."""
        return self._means(np.ones(len(self), dtype=np.bool_), DATASET_METRICS)

    def tissues(self) -> dict[str, Means]:
        """Return the means of ``TISSUE_METRICS`` over the patches of each tissue, tissues by name."""
        tissues = np.array(self._tissues)
        return {
            tissue: self._means(tissues == tissue, TISSUE_METRICS)
            for tissue in sorted(set(self._tissues))
        }

    def images(self) -> dict[str, Means]:
        """Return ``IMAGE_METRICS`` of every patch, by its name, in the order in which they came."""
        return {
            name: dict(zip(IMAGE_METRICS, row, strict=False))
            for name, row in zip(self._names, self._rows, strict=True)
        }

    def class_pq(self) -> NDArray[np.float64]:
        """Return the mean PQ of every class (types,) over the patches in which it is true."""
        table = np.array(self._pq).reshape(len(self), len(self.detection.both))
        return np.array([nan_mean(column) for column in table.T])

    def _means(self, chosen: NDArray[np.bool_], metrics: tuple[str, ...]) -> Means:
        table = np.array(self._rows, dtype=np.float64).reshape(-1, len(DATASET_METRICS))[chosen]
        columns = {name: nan_mean(table[:, k]) for k, name in enumerate(DATASET_METRICS)}
        return {name: columns[name] for name in metrics}
