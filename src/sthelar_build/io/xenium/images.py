"""The morphology image of a Xenium bundle: its size and its channels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tifffile import TiffFile

from sthelar_build.io.images.morphology import open_morphology
from sthelar_build.io.xenium.bundle import XeniumBundle

_DAPI = ("DAPI",)
_STAINED = ("DAPI", "ATP1A1/CD45/E-Cadherin", "18S", "AlphaSMA/Vimentin")
"""What the files of versions 2 and 3 show, in order, where they do not say so themselves."""


@dataclass(frozen=True)
class MorphologyFacts:
    """What the image says about itself."""

    width_px: int
    height_px: int
    channels: tuple[str, ...]
    """Name of every channel, in order; DAPI is the first. One file each from 2.0."""


def morphology_facts(bundle: XeniumBundle) -> MorphologyFacts:
    """Return size and channels; InputError if the DAPI image cannot be read or is truncated."""
    with open_morphology(bundle.morphology) as image:
        width_px, height_px = image.width_px, image.height_px
    return MorphologyFacts(width_px, height_px, _channels(bundle))


def _channels(bundle: XeniumBundle) -> tuple[str, ...]:
    folder = bundle.morphology.parent
    files = sorted(path for path in folder.glob("*.ome.tif") if not path.name.startswith("."))
    if folder == bundle.folder or len(files) == 1:
        return _DAPI
    said = _said_channels(bundle.morphology)
    if len(said) == len(files):
        return said
    if len(files) == len(_STAINED):
        return _STAINED
    return tuple(path.name.removesuffix(".ome.tif") for path in files)


def _said_channels(path: Path) -> tuple[str, ...]:
    """Return the channel names of the OME-XML; empty if it names none."""
    with TiffFile(path, _multifile=False) as file:
        description = file.ome_metadata or "<OME/>"
    try:
        root = ElementTree.fromstring(description)
    except ElementTree.ParseError:
        return ()
    return tuple(filter(None, (channel.get("Name") for channel in root.findall(".//{*}Channel"))))
