"""The ``obs`` of a table of features: what is known of every nucleus beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sthelar_build.core.pannuke_labels import voted_types
from sthelar_build.schema.pannuke import NUCLEI_TYPES


def visibility(nucleus_ids: NDArray[np.integer], appearances: pd.DataFrame) -> pd.DataFrame:
    """Return which patches show a nucleus.

    Parameters
    ----------
    nucleus_ids
        (n,) of all nuclei.
    appearances
        ``patch_id``, ``nucleus_id``, ``visible_px`` of the masks, in any order.

    Returns
    -------
    One row per nucleus, in their order: ``n_patches``; ``visible_px``, which counts pixels of two patches twice;
    ``patch_ids``, joined by commas, ascending (as STHELAR; empty where none shows it).
    """
    shown = appearances.sort_values(["nucleus_id", "patch_id"])
    ids = shown["nucleus_id"].to_numpy(np.int64)
    wanted = np.asarray(nucleus_ids, dtype=np.int64)
    first, last = np.searchsorted(ids, wanted), np.searchsorted(ids, wanted, side="right")
    total = np.concatenate([[0], np.cumsum(shown["visible_px"].to_numpy(np.int64))])
    words = shown["patch_id"].astype(str).tolist()
    joined = [",".join(words[start:stop]) for start, stop in zip(first, last, strict=True)]
    return pd.DataFrame(
        {
            "n_patches": (last - first).astype(np.uint32),
            "visible_px": (total[last] - total[first]).astype(np.uint32),
            "patch_ids": joined,
        }
    )


def type_columns(type_px: NDArray[np.int64], types: Mapping[str, int]) -> pd.DataFrame:
    """Return what a network calls every nucleus: a label and its probability, null without a pixel.

    ``PanNuke_label`` and ``PanNuke_proba`` (as STHELAR) if the network knows PanNuke's types, else ``network_label`` and
    ``network_proba``. The rule is that of :func:`voted_types`; type 0 is the background.
    """
    prefix = "PanNuke" if dict(types) == NUCLEI_TYPES else "network"
    index, share = voted_types(type_px)
    names = [name for name, _ in sorted(types.items(), key=lambda item: item[1])]
    return pd.DataFrame(
        {
            f"{prefix}_label": _words(index, names),
            f"{prefix}_proba": share.astype(np.float32),
        }
    )


def cluster_column(cluster: NDArray[np.int64], seen: NDArray[np.bool_]) -> pd.Categorical:
    """Return the clusters of the nuclei that were seen as words, null for the others."""
    codes = np.full(len(seen), -1, dtype=np.int64)
    codes[seen] = cluster
    n = int(cluster.max(initial=-1)) + 1
    return _words(codes, [str(number) for number in range(n)])


def _words(codes: NDArray[np.int64], words: list[str]) -> pd.Categorical:
    # What pandas-stubs say of words is wrong.
    found: Any = pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(words))
    return pd.Categorical(found)
