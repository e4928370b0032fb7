"""Nuclei from the haematoxylin of an H&E patch, without a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import disk, local_maxima, reconstruction
from skimage.segmentation import watershed

_BINS = 256


@dataclass(frozen=True)
class NucleusRule:
    """What a nucleus looks like; lengths in um, so that one rule serves every scale."""

    smoothing_um: float
    """Standard deviation of the Gaussian on the stain."""
    local_share: float
    """Weight of the patch's own threshold against that of the slide, 0 to 1."""
    opening_um: float
    """Radius of the disc that cuts thin bridges and specks."""
    max_hole_um2: float
    """Holes up to this area are filled: pale centres of nuclei, not lumina."""
    split_depth_um: float
    """How much deeper than their bridge two cores must lie to be two nuclei."""
    min_area_um2: float
    """Smaller objects are no nuclei."""
    max_area_um2: float
    """Larger objects are no nuclei either: keratin, folds, ink."""


def smoothed(stain: NDArray[Any], um_per_px: float, rule: NucleusRule) -> NDArray[np.float32]:
    """Return the stain (y, x) blurred by the rule's Gaussian; the border is mirrored."""
    sigma_px = rule.smoothing_um / um_per_px
    return np.asarray(ndimage.gaussian_filter(stain.astype(np.float32), sigma_px, mode="mirror"))


def stain_threshold(stain: NDArray[Any]) -> float:
    """Return the Otsu threshold of any number of stain values; the value itself if all are equal."""
    return float(threshold_otsu(np.asarray(stain).ravel(), nbins=_BINS))


def find_nuclei(
    stain: NDArray[Any], um_per_px: float, slide_threshold: float, rule: NucleusRule
) -> NDArray[np.int32]:
    """Segment the nuclei of one patch.

    Parameters
    ----------
    stain
        Haematoxylin (y, x), more is darker; the unit is that of ``slide_threshold``.
    um_per_px
        Pixel size of the patch.
    slide_threshold
        Otsu threshold over tissue of the whole slide (of smoothed stain). A patch without nuclei has a
        low threshold of its own; blended with this one it still lies above the background.

    Returns
    -------
    Map of the shape of ``stain``: 0 is background, nuclei are 1..n in the order of their first pixel. Nuclei cut by
    the border are kept if what is left is large enough.

    Notes
    -----
    Smooth, threshold (Otsu 1979), fill, open; then a watershed (Meyer 1994) of the distance to the
    background from its h-maxima, so that a shallow waist does not split a nucleus.
    """
    blurred = smoothed(stain, um_per_px, rule)
    local = stain_threshold(blurred)
    threshold = rule.local_share * local + (1 - rule.local_share) * slide_threshold
    foreground = _clean(blurred > threshold, um_per_px, rule)
    return _of_size(_split(foreground, um_per_px, rule), um_per_px, rule)


def _clean(foreground: NDArray[np.bool_], um_per_px: float, rule: NucleusRule) -> NDArray[np.bool_]:
    holes, n_holes = ndimage.label(~foreground)
    area_px = np.bincount(holes.ravel(), minlength=n_holes + 1)
    small = area_px <= rule.max_hole_um2 / um_per_px**2
    small[0] = False
    radius_px = max(1, round(rule.opening_um / um_per_px))
    # Padded by its own edge: erosion would otherwise eat nuclei that the patch cuts.
    padded = np.pad(foreground | small[holes], radius_px, mode="edge")
    opened = ndimage.binary_opening(padded, disk(radius_px))
    return np.asarray(opened[radius_px:-radius_px, radius_px:-radius_px])


def _split(foreground: NDArray[np.bool_], um_per_px: float, rule: NucleusRule) -> NDArray[np.int32]:
    depth_um = ndimage.distance_transform_edt(foreground) * um_per_px
    # In whole steps of the depth: equal heights must be equal.
    steps = np.round(depth_um / rule.split_depth_um * _BINS).astype(np.int32)
    # skimage's h_maxima takes two equal peaks of one ridge for two maxima, whatever lies between.
    levelled = reconstruction(steps - _BINS, steps)
    cores, _ = ndimage.label(local_maxima(levelled) & foreground, structure=np.ones((3, 3)))
    return np.asarray(watershed(-steps, cores, mask=foreground), dtype=np.int32)


def _of_size(nuclei: NDArray[np.int32], um_per_px: float, rule: NucleusRule) -> NDArray[np.int32]:
    area_um2 = np.bincount(nuclei.ravel()) * um_per_px**2
    keep = (area_um2 >= rule.min_area_um2) & (area_um2 <= rule.max_area_um2)
    keep[0] = False
    number = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return np.asarray(number[nuclei])
