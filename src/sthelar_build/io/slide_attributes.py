"""What a SpatialData store says about its slide: registration, classes, provenance."""

from __future__ import annotations

from typing import Any

from sthelar_build.io.provenance import KEY, Provenance
from sthelar_build.io.transform import Transform
from sthelar_build.schema.elements import CORRECTION_IMAGE
from sthelar_build.schema.labels import CLASSES, SCHEMA_VERSION

_USE = (
    "The transformations between um (or global) and he are affine and leave the correction out. To place a point (um) on "
    "the H&E, add (dx_um, dy_um) of this element at the point, then apply the affine. Between the centres of its pixels "
    "the field is the cubic spline through them (scipy.ndimage.map_coordinates, order 3, mode mirror); beyond the outermost "
    "centres it is that of the nearest place between them."
)


def slide_attributes(
    slide: str, registered: Transform, nuclei_source: str, source: Provenance
) -> dict[str, Any]:
    """Return the root attributes of a store: one entry, ``sthelar``, that can be written as JSON."""
    classes = [
        {"index": c.index, "name": c.name, "colour": list(c.colour), "patch_class": c.patch_class}
        for c in CLASSES
    ]
    return {
        KEY: {
            "slide": slide,
            "nuclei_source": nuclei_source,
            "he_um_per_px": registered.he_um_per_px,
            "registration": {
                "method": registered.method,
                "verdict": registered.verdict,
                "median_um": registered.median_um,
                "p95_um": registered.p95_um,
                "reasons": list(registered.reasons),
            },
            "he_correction": _correction(registered),
            "label_schema": {"version": SCHEMA_VERSION, "classes": classes},
            "provenance": source,
        }
    }


def _correction(registered: Transform) -> dict[str, Any] | None:
    if registered.correction is None:
        return None
    largest_um = registered.correction.largest_um
    return {"element": CORRECTION_IMAGE, "largest_um": largest_um, "use": _USE}
