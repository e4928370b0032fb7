"""The codewords of a panel: genes first, then every kind of control."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sthelar_build.core.simulation.programmes import Programmes

_CUSTOM_SHARE = 0.05
_CONTROLS = (
    ("negative_control_probe", "NegControlProbe_{:05d}", 20),
    ("negative_control_codeword", "NegControlCodeword_{:04d}", 41),
    ("unassigned_codeword", "UnassignedCodeword_{:04d}", 60),
    ("deprecated_codeword", "DeprecatedCodeword_{:04d}", 8),
    ("genomic_control_probe", "Intergenic_Region_{:04d}", 16),
)
_GENOMIC_FROM_MAJOR = 3


def panel_features(programmes: Programmes, major: int) -> pd.DataFrame:
    """Return one row per codeword: ``name``, ``id``, ``category``. Genomic controls come with XOA 3."""
    n_custom = int(_CUSTOM_SHARE * len(programmes.genes))
    genes = pd.DataFrame({"name": programmes.genes, "id": programmes.gene_ids})
    genes["category"] = "predesigned_gene"
    genes.loc[len(genes) - n_custom :, "category"] = "custom_gene"
    frames = [genes]
    for category, pattern, count in _CONTROLS:
        if category == "genomic_control_probe" and major < _GENOMIC_FROM_MAJOR:
            continue
        names = [pattern.format(number) for number in 3 * np.arange(count) + 1]
        frames.append(pd.DataFrame({"name": names, "id": names, "category": category}))
    return pd.concat(frames, ignore_index=True)
