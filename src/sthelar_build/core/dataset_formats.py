"""What the exports of a dataset hold: sizes, and which patches they kept and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_KEPT = "kept"
_PURPOSES = {
    "qupath": "nuclei to lay over the H&E in QuPath",
    "explorer": "cell groups for Xenium Explorer",
    "hest": "spots, as the library hest reads them",
    "stimage": "spots, in the layout of STimage-1K4M",
}


def format_facts(manifests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sum up the manifests of exports.

    Returns
    -------
    By format: ``name``, ``n_patches``, ``n_patches_total``, ``left_out`` (patches by reason), ``n_files``, ``bytes``.
    """
    facts = []
    for manifest in sorted(manifests, key=lambda one: str(one["format"])):
        counts: Counter[str] = Counter()
        for slide in manifest["slides"].values():
            counts.update(slide["patches"])
        counts.pop(_KEPT, None)
        facts.append(
            {
                "name": manifest["format"],
                "n_patches": manifest["n_patches"],
                "n_patches_total": manifest["n_patches_total"],
                "left_out": dict(sorted(counts.items())),
                "n_files": len(manifest["files"]),
                "bytes": sum(file["bytes"] for file in manifest["files"].values()),
            }
        )
    return facts


def whole_slide_facts(manifests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sum up the manifests of whole slides.

    Returns
    -------
    By format: ``name``, ``purpose``, ``n_slides`` (those that were kept), ``n_slides_total``, ``n_files``, ``bytes``.
    """
    return [
        {
            "name": manifest["format"],
            "purpose": _PURPOSES.get(str(manifest["format"]), ""),
            "n_slides": sum(bool(slide["kept"]) for slide in manifest["slides"].values()),
            "n_slides_total": len(manifest["slides"]),
            "n_files": len(manifest["files"]),
            "bytes": sum(file["bytes"] for file in manifest["files"].values()),
        }
        for manifest in sorted(manifests, key=lambda one: str(one["format"]))
    ]


def selection_facts(manifests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Say which patches of every slide were exported; formats that kept the same are told together.

    Returns
    -------
    ``formats`` (names) and ``slides``: by slide ``name``, ``kept``, ``total``, ``left_out`` (patches by reason).
    """
    found: list[tuple[list[str], list[dict[str, Any]]]] = []
    for manifest in sorted(manifests, key=lambda one: str(one["format"])):
        slides = [
            {
                "name": name,
                "kept": slide["patches"].get(_KEPT, 0),
                "total": sum(slide["patches"].values()),
                "left_out": {k: n for k, n in sorted(slide["patches"].items()) if k != _KEPT},
            }
            for name, slide in sorted(manifest["slides"].items())
        ]
        same = next((formats for formats, others in found if others == slides), None)
        if same is None:
            found.append(([str(manifest["format"])], slides))
        else:
            same.append(str(manifest["format"]))
    return [{"formats": formats, "slides": slides} for formats, slides in found]
