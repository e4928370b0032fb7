"""Settings of the stage ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sthelar_build.settings.base import Count, Memory, Positive, Seed, Settings, Share, Weight

Channels = Annotated[int, Field(ge=1, le=4096)]
Widths = tuple[Channels, Channels, Channels, Channels, Channels, Channels, Channels]


class TrainSettings(Settings):
    """Train a network of the CellViT family on an exported dataset, from nothing or from a checkpoint."""

    revision: Literal[1] = 1
    start: Path | None = None
    """Checkpoint to start from: what fits of it is taken over, its heads only where the classes are the same. None starts from
    random numbers."""
    trust_start: bool = False
    """Also open a checkpoint to start from that can run code when it is read: only if you trust who made it."""
    network: Literal["auto", "small", "ViT256", "SAM-B", "SAM-L", "SAM-H"] = "auto"
    """Shape of the network: auto takes that of the checkpoint to start from, without one the small one; the others are the
    published ones, which want a GPU."""
    embed_dim: Annotated[int, Field(ge=8, le=2048)] = 64
    """Length of a token (small only); a multiple of heads."""
    depth: Annotated[int, Field(ge=4, le=64)] = 4
    """Blocks of the encoder (small only)."""
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attention heads (small only)."""
    decoder_widths: Widths = (16, 16, 32, 48, 64, 48, 32)
    """Channels of the decoders (small only): first block on the image; full, half, quarter and eighth resolution; the skips of the
    first encoder outputs at an eighth and a quarter."""
    shared_decoder: bool = True
    """One decoder with three heads, instead of three decoders (small only): a third of the time."""
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 130
    """Epochs at most."""
    patches_per_epoch: Count = 0
    """Views that an epoch shows; 0: as many as there are patches."""
    batch_size: Annotated[int, Field(ge=2, le=4096)] = 16
    """Patches of a step."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-4
    """Of AdamW, at its highest."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-4
    """Of AdamW."""
    betas: tuple[Memory, Memory] = (0.85, 0.95)
    """Of AdamW: memory of the mean and of the spread of the gradient."""
    max_gradient_norm: Positive = 5.0
    """Longer gradients are shortened to this."""
    schedule: Literal["cosine", "exponential"] = "cosine"
    """How the learning rate falls: to a hundredth at the last epoch along a cosine, or by ``decay`` every epoch."""
    decay: Annotated[float, Field(gt=0, le=1)] = 0.85
    """Factor of the learning rate after every epoch (exponential only)."""
    warmup_epochs: Annotated[float, Field(ge=0)] = 1.0
    """The learning rate rises from 0 for so many epochs."""
    freeze_encoder_epochs: Count = 0
    """The encoder rests for so many epochs: for a start from a checkpoint (CellViT: 25)."""
    patience: Count = 20
    """The training stops after so many epochs without a better validation; 0: never."""
    stop_on: Literal["bPQ", "Dice"] = "bPQ"
    """What is better: the measure on the validation split that also picks the epoch whose network is kept."""
    gamma: Share = 0.85
    """How much more often patches of rare tissues and classes are shown: 0 not at all, 1 in proportion to their rarity."""
    turn: bool = True
    """Show patches turned by quarters and mirrored, too."""
    stain_jitter: Share = 0.15
    """Largest relative change of the amount of each stain."""
    colour_jitter: Share = 0.1
    """Largest relative change of contrast, and twice that of brightness as a share of white."""
    blur_px: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Largest standard deviation of the blur that one view in four gets, in px."""
    zoom: Annotated[float, Field(ge=0.25, le=1)] = 1.0
    """Smallest size of a view relative to its patch: 0.5 lets a network for 0.25 um per px also serve 0.5."""
    nucleus_tversky: Weight = 1.0
    """Weight of the focal Tversky loss of the nuclei."""
    nucleus_dice: Weight = 1.0
    """Weight of the Dice loss of the nuclei."""
    hv_mse: Weight = 2.5
    """Weight of the squared error of the distance maps."""
    hv_gradient: Weight = 8.0
    """Weight of the squared error of the gradients of the distance maps."""
    type_tversky: Weight = 0.5
    """Weight of the focal Tversky loss of the types."""
    type_dice: Weight = 0.2
    """Weight of the Dice loss of the types."""
    type_entropy: Weight = 0.5
    """Weight of the cross-entropy of the types."""
    tissue_entropy: Weight = 0.1
    """Weight of the cross-entropy of the tissue."""
    use_class_weights: bool = True
    """Weigh the classes in the losses of the types as ``weight_config.yaml`` says: by rarity, Other hardly."""
    magnification: Literal["auto", "20", "40"] = "auto"
    """Magnification whose constants split touching nuclei; auto takes 40 for datasets below 0.35 um per px, else 20."""
    mean: tuple[Share, Share, Share] = (0.5, 0.5, 0.5)
    """Subtracted from red, green and blue, which are between 0 and 1; a checkpoint to start from has its own."""
    std: tuple[Positive, Positive, Positive] = (0.5, 0.5, 0.5)
    """Divides red, green and blue after that."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs: auto takes a GPU if torch sees one."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of the products: auto takes bf16 on a GPU that has it, else fp16 there, and fp32 on a CPU."""
    half_weights: bool = False
    """Store the weights in 16 bits: half the file, differences of the last digits."""
    seed: Seed = 42
    """Seed of the first weights, of the order of the patches and of their views."""

    @model_validator(mode="after")
    def _heads_share_the_token_out(self) -> TrainSettings:
        if self.embed_dim % self.heads:
            raise ValueError(
                f"expected embed_dim to be a multiple of heads, found {self.embed_dim} and {self.heads}"
            )
        return self
