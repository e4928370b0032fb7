"""What a SpatialData store says about its slide: registration, classes, provenance."""

from __future__ import annotations

from typing import Any

from sthelar_build.io.provenance import KEY, Provenance
from sthelar_build.io.transform import Transform
from sthelar_build.schema.labels import CLASSES, SCHEMA_VERSION


def slide_attributes(slide: str, registered: Transform, source: Provenance) -> dict[str, Any]:
    """Return the root attributes of a store: one entry, ``sthelar``, that can be written as JSON."""
    classes = [
        {"index": c.index, "name": c.name, "colour": list(c.colour), "patch_class": c.patch_class}
        for c in CLASSES
    ]
    return {
        KEY: {
            "slide": slide,
            "he_um_per_px": registered.he_um_per_px,
            "registration": {
                "method": registered.method,
                "verdict": registered.verdict,
                "median_um": registered.median_um,
                "p95_um": registered.p95_um,
                "reasons": list(registered.reasons),
            },
            "label_schema": {"version": SCHEMA_VERSION, "classes": classes},
            "provenance": source,
        }
    }
