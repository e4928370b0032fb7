"""The PanNuke layout: array shapes, channel order, dtypes."""

from __future__ import annotations

import numpy as np

IMAGES = "images"
"""uint8 (n, side, side, 3), RGB."""
MASKS = "masks"
"""uint16 (n, side, side, C + 1): one channel of instance ids per class, then the background flag."""
TYPES = "types"
"""str (n,): the tissue of each patch."""
PATCH_IDS = "patch_ids"
"""str (n,): ``{slide}_{patch_id}``."""

IMAGE_DTYPE = np.dtype(np.uint8)
MASK_DTYPE = np.dtype(np.uint16)

NUCLEI_TYPES = {
    "Background": 0,
    "Neoplastic": 1,
    "Inflammatory": 2,
    "Connective": 3,
    "Dead": 4,
    "Epithelial": 5,
}
"""Classes of PanNuke's nuclei, as networks trained on it count them."""

TISSUE_TYPES = {
    name: index
    for index, name in enumerate(
        [
            "Adrenal_gland", "Bile-duct", "Bladder", "Breast", "Cervix", "Colon", "Esophagus",
            "HeadNeck", "Kidney", "Liver", "Lung", "Ovarian", "Pancreatic", "Prostate", "Skin",
            "Stomach", "Testis", "Thyroid", "Uterus",
        ]
    )
}  # fmt: skip
"""PanNuke's tissues, as networks trained on it count them."""


def mask_shape(n: int, side_px: int, n_classes: int) -> tuple[int, int, int, int]:
    """Return the shape of ``masks``; channel ``class index - 1`` holds a class, the last the background."""
    return (n, side_px, side_px, n_classes + 1)
