"""Settings of the stage ``embed``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sthelar_build.settings.base import Positive, Seed, Settings
from sthelar_build.settings.checkpoints import TOY, TOY_CHECKPOINT


class CellvitFeatures(Settings):
    """Features from the tokens of a CellViT checkpoint, and what the network calls every nucleus."""

    kind: Literal["cellvit"]
    """A CellViT checkpoint."""
    checkpoint: Annotated[str, Field(min_length=1)]
    """Path of the checkpoint, or ``toy`` for the small one that is shipped."""
    trust_checkpoint: bool = False
    """Also open a checkpoint that can run code when it is read: only if you trust who made it."""
    rule: Literal["mean", "published"] = "mean"
    """mean: tokens weigh as much as the nucleus has pixels in their block, over all patches, so that features do not grow with the
    nucleus and a nucleus that a patch cuts counts by what is left of it. published: sum over touched blocks, mean over
    patches, as in STHELAR."""

    @property
    def source(self) -> Path:
        """File of the model."""
        return TOY_CHECKPOINT if self.checkpoint == TOY else Path(self.checkpoint)


class TransformersFeatures(Settings):
    """Features of a model of the transformers library (Phikon-v2, ViT) from a folder on disk."""

    kind: Literal["transformers"]
    """A folder with config.json, preprocessor_config.json and safetensors."""
    folder: Path
    """The folder; nothing is downloaded."""
    view: Literal["nucleus", "patch"] = "nucleus"
    """What the model sees. nucleus: a square around every nucleus, one run each. patch: the patches, and a nucleus has the tokens under it,
    as in STHELAR; tens of times fewer runs."""
    pooling: Literal["cls", "mean"] = "cls"
    """Class token, or mean of the others (view nucleus only)."""
    rule: Literal["mean", "published"] = "mean"
    """How tokens are joined (view patch only), as for kind cellvit."""

    @property
    def source(self) -> Path:
        """Folder of the model."""
        return self.folder


class EmbedSettings(Settings):
    """Describe every nucleus by the features of image models, and cluster it by them."""

    revision: Literal[1] = 1
    models: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")],
        Annotated[CellvitFeatures | TransformersFeatures, Field(discriminator="kind")],
    ] = {}
    """Models by the name that their table ``features_{name}`` gets: cellvit, phikonv2 and vit_google in STHELAR. None makes no table."""
    scale: Annotated[str, Field(pattern=r"^[A-Za-z0-9]*$")] = ""
    """Scale whose patches are looked at; empty takes the first."""
    crop_um: Positive | None = None
    """Side of the square around a nucleus (view nucleus), in um; null takes that of a patch, which is what the original models saw."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where models run; auto takes a GPU that torch can use, where there is one. Devices agree up to rounding."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Numbers of the models' products; auto takes fp32 on the CPU, and on a GPU what the model is made for."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Images that go through a model together; null takes what fits."""
    variance: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Share of the variance of the standardised features that the components keep in which nuclei are clustered."""
    max_clusters: Annotated[int, Field(ge=1, le=100)] = 10
    """Numbers of clusters from 1 to this are tried; that at the elbow is taken."""
    cluster_rows: Annotated[int, Field(ge=1000)] = 50_000
    """Nuclei that the centres are fitted to, at most, drawn at random; all are given to the nearest."""
    seed: Seed = 42
    """Seed of that draw and of k-means."""

    def only(self, model: str) -> EmbedSettings:
        """Return what one model needs: a change of another does not rerun it."""
        return self.model_copy(update={"models": {model: self.models[model]}, "scale": ""})
