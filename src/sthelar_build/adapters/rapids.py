"""Neighbours, Leiden and UMAP on a GPU, by rapids-singlecell. Optional: nothing here is imported without one.

No GPU runs our tests: the work on one has never been tried, only the choice of the device. The calls were written from
the documented signatures of ``pp.neighbors``, ``tl.leiden`` and ``tl.umap``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Literal, TypeAlias

import anndata
import numpy as np
from numpy.typing import NDArray

from sthelar_build.adapters.leiden import Labels, from_the_largest
from sthelar_build.errors import ConfigError

Floats = NDArray[np.float32]
Device: TypeAlias = Literal["cpu", "cuda"]


def chosen_device(wanted: Literal["auto", "cpu", "cuda"]) -> Device:
    """Return the device to use; ConfigError if cuda is asked for and rapids-singlecell or a GPU is missing."""
    if wanted == "cpu":
        return "cpu"
    missing = _missing()
    if wanted == "cuda" and missing:
        raise ConfigError(
            f"cluster.device: expected rapids-singlecell and a GPU for cuda, found {missing}; "
            "install it (https://rapids-singlecell.readthedocs.io) or say cpu"
        )
    return "cpu" if missing else "cuda"


def _missing() -> str:
    """Return what is missing for work on a GPU, in words; empty where nothing is."""
    if find_spec("rapids_singlecell") is None:
        return "no rapids-singlecell"
    runtime = import_module("cupy").cuda.runtime
    try:
        return "" if runtime.getDeviceCount() else "no GPU"
    except runtime.CUDARuntimeError as error:
        return f"no GPU ({error})"


def cluster_on_gpu(
    components: Floats, neighbours: int, resolutions: tuple[float, ...], seed: int
) -> tuple[dict[float, Labels], Floats]:
    """Return the clusters of every resolution, numbered from the largest, and UMAP (rows, 2) of all rows.

    The search for neighbours is exact; UMAP starts where rapids-singlecell has it start.
    """
    rapids = import_module("rapids_singlecell")
    table = anndata.AnnData(obsm={"X_pca": components}, shape=(len(components), 0))
    rapids.pp.neighbors(table, n_neighbors=neighbours, use_rep="X_pca", random_state=seed)
    found = {}
    for resolution in resolutions:
        rapids.tl.leiden(table, resolution=resolution, random_state=seed, key_added="leiden")
        codes = table.obs["leiden"].cat.codes.to_numpy().astype(np.intp)
        found[resolution] = from_the_largest(codes)
    rapids.tl.umap(table, random_state=seed)
    return found, np.asarray(table.obsm["X_umap"], dtype=np.float32)
