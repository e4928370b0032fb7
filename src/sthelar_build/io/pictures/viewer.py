"""What the viewer of a report needs: facts of the tiles and blocks beside the page, or these themselves if they are small."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sthelar_build.io.records import PROVENANCE, read_record

_IMAGE_KEYS = ("width_he_px", "height_he_px", "he_um_per_px", "downsample", "tile_px", "levels")
_NUCLEUS_KEYS = ("n_nuclei", "overview_unit_px", "block_px", "blocks", "classes", "cluster")


@dataclass(frozen=True)
class Viewer:
    """The viewer of one page."""

    facts: dict[str, Any]
    """``images`` and ``nuclei``: the manifests, and ``folder``, relative to the page; ``tiles``: data URIs by name."""
    scripts: list[str]
    """Blocks and overview, where they travel in the page."""

    @property
    def embedded(self) -> bool:
        """Whether the page needs no file beside it."""
        return bool(self.scripts)


def read_viewer(images: Path, nuclei: Path, page: Path, most_embedded_bytes: float) -> Viewer:
    """Read the manifests of ``view`` and ``outline``; files of up to ``most_embedded_bytes`` together are taken in.

    InputError if a manifest is not one.
    """
    facts: dict[str, Any] = {
        "images": _manifest(images, _IMAGE_KEYS, page),
        "nuclei": _manifest(nuclei, _NUCLEUS_KEYS, page),
        "tiles": {},
    }
    tiles = sorted(images.parent.glob("*/*.jpg"))
    scripts = sorted(nuclei.parent.glob("*.js"))
    if sum(path.stat().st_size for path in (*tiles, *scripts)) > most_embedded_bytes:
        return Viewer(facts, [])
    facts["tiles"] = {f"{path.parent.name}/{path.name}": _data_uri(path) for path in tiles}
    return Viewer(facts, [path.read_text(encoding="ascii") for path in scripts])


def _manifest(path: Path, keys: tuple[str, ...], page: Path) -> dict[str, Any]:
    record = read_record(path, keys)
    record.pop(PROVENANCE, None)
    return {**record, "folder": Path(os.path.relpath(path.parent, page.parent)).as_posix()}


def _data_uri(path: Path) -> str:
    return f"data:image/jpeg;base64,{b64encode(path.read_bytes()).decode('ascii')}"
