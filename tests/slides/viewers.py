"""The viewer of a slide whose other artefacts are there."""

from __future__ import annotations

from pathlib import Path

from sthelar_build.settings.outline import OutlineSettings
from sthelar_build.settings.view import ViewSettings
from sthelar_build.stages import outline, view


def make_viewer(files: dict[str, Path], folder: Path, **changes: Path) -> dict[str, Path]:
    """Make tiles and outlines, and return their manifests by the name of the report's arguments."""
    files = files | changes
    images, nuclei = folder / "viewer_images", folder / "viewer_nuclei"
    given = {name: files[name] for name in ("he", "xenium", "bundle", "transform")}
    view.run(**given, images=images, settings=ViewSettings(um_per_px=0.3, tile_px=128))
    given = {name: files[name] for name in ("nuclei", "labels", "transform")}
    outline.run(**given, outlines=nuclei, settings=OutlineSettings(block_um=50))
    return {
        "viewer_images": images / "manifest.json",
        "viewer_nuclei": nuclei / "manifest.json",
    }
