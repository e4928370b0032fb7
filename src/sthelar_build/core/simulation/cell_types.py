"""The cell types that can be simulated: nucleus shape, stain, size, one row per fine type."""

from __future__ import annotations

from functools import cache
from importlib import resources

import pandas as pd


@cache
def cell_types() -> pd.DataFrame:
    """Return ``cell_types.csv``, indexed by fine label.

    ``radius_um`` is the geometric mean radius of the nucleus, ``aspect`` its length over its width,
    ``irregularity`` the deviation of the outline relative to the radius; ``dapi`` and ``haematoxylin``
    its brightness and stain (1 is typical), ``vesicular`` how pale its centre is, ``nucleoli`` how many;
    ``eosin`` and ``basophilia`` the stain of the cytoplasm; ``transcripts`` the size factor of the cell,
    ``nuclear_share`` the share of its transcripts that lie in the nucleus.
    """
    with resources.files(__package__).joinpath("cell_types.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, index_col="fine_label")
