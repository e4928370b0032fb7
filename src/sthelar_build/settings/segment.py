"""Settings of the stage ``segment``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sthelar_build.settings.base import Positive, Settings, Share
from sthelar_build.settings.checkpoints import TOY, TOY_CHECKPOINT


class SegmentSettings(Settings):
    """Find nuclei in the H&E patches without knowing the Xenium ones."""

    revision: Literal[2] = 2
    method: Literal["auto", "haematoxylin", "cellvit"] = "auto"
    """haematoxylin: threshold and watershed of the stain, without a model; cellvit: a CellViT network; auto: cellvit where a checkpoint
    is named, and for simulated slides, whose tissue the shipped network knows; haematoxylin elsewhere. Instance maps that the
    sheet of slides names in its column predictions take the place of all."""
    checkpoint: str | dict[str, str] = ""
    """Checkpoint of the network: a path, ``toy`` for the small one that is shipped and knows simulated tissue only,
    or one of these for every scale, by its name."""
    trust_checkpoint: bool = False
    """Also open a checkpoint that can run code when it is read, as some older ones can: only if you trust who made it."""
    magnification: Literal["auto", "20", "40"] = "auto"
    """Magnification whose constants split touching nuclei (cellvit only): auto takes 40 for pixels below 0.35 um, else 20."""
    min_tissue: Share = 0
    """Patches with a share of tissue of this or less are not segmented: 0 leaves out bare glass. They are null in the metrics, for no_tissue
    where the mask shows nuclei; maps that the sheet names are taken over whatever their tissue."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the network runs; auto takes a GPU that torch can use, where there is one. Devices agree up to rounding."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Numbers of the network; auto takes fp32 on the CPU, and on a GPU what it is fast with."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Patches that go through the network together, at most 32; null is 1 on the CPU, and on a GPU as many as its memory holds."""
    smoothing_um: Annotated[float, Field(ge=0)] = 0.5
    """Standard deviation of the blur on the haematoxylin, in um."""
    local_share: Share = 0.5
    """Weight of the patch's own Otsu threshold; the rest is that of the slide."""
    sample_patches: Annotated[int, Field(ge=1)] = 64
    """Patches of tissue, evenly spread, that set the threshold of the slide."""
    opening_um: Annotated[float, Field(ge=0)] = 0.75
    """Radius of the disc that cuts thin bridges and specks, in um."""
    max_hole_um2: Annotated[float, Field(ge=0)] = 12
    """Holes up to this area are filled, in um2."""
    split_depth_um: Positive = 0.75
    """How much deeper than their bridge two cores must lie to be two nuclei, in um."""
    min_area_um2: Annotated[float, Field(ge=0)] = 10
    """Smaller objects are no nuclei, in um2."""
    max_area_um2: Positive = 400
    """Larger objects are no nuclei, in um2."""

    @model_validator(mode="after")
    def _network_has_a_checkpoint(self) -> SegmentSettings:
        if self.method == "cellvit" and not self.checkpoint:
            raise ValueError(
                "expected a checkpoint with method cellvit, found none; name its file, or set checkpoint to toy"
            )
        return self

    def checkpoint_at(self, scale: str, *, simulated: bool = False) -> Path | None:
        """Return the checkpoint of a scale, for slides that are simulated or not; None if none is used there."""
        if self.method == "haematoxylin":
            return None
        named = self.checkpoint if isinstance(self.checkpoint, str) else self.checkpoint.get(scale)
        if self.method == "auto" and simulated:
            named = named or TOY
        return (TOY_CHECKPOINT if named == TOY else Path(named)) if named else None
