"""CellViT: an encoder, skip decoders, and a branch each for nuclei, distances and types."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sthelar_build.adapters.cellvit.architecture import Architecture
from sthelar_build.adapters.cellvit.checkpoint import Checkpoint, check_parameters
from sthelar_build.adapters.cellvit.decoders import Branch, skip_decoders
from sthelar_build.adapters.cellvit.encoder_sam import NECK, SAMEncoder
from sthelar_build.adapters.cellvit.encoder_vit import ViTEncoder, as_weights

BINARY = "nuclei_binary_map_decoder"
HV = "hv_map_decoder"
TYPES = "nuclei_type_maps_decoder"


class Logits(NamedTuple):
    """Raw outputs of the network for images (b, 3, h, w)."""

    binary: Tensor
    """(b, 2, h, w): background, nucleus."""
    hv: Tensor
    """(b, 2, h, w): offset from the nucleus' centre, horizontal and vertical, in about [-1, 1]."""
    types: Tensor | None
    """(b, n_nuclei, h, w); None where not wanted."""
    tissue: Tensor | None
    """(b, n_tissues); None where not wanted."""
    regression: Tensor | None
    """(b, 2, h, w) for networks trained with a regression map, else None."""
    tokens: Tensor
    """(b, embed_dim, h / 16, w / 16): the last output of the encoder."""


class CellViT(nn.Module):
    """The network of an architecture; parameter names are those of the published checkpoints."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        width, widths = architecture.embed_dim, architecture.decoder_widths
        self.encoder = (SAMEncoder if architecture.sam else ViTEncoder)(architecture)
        outputs = {
            BINARY: 4 if architecture.regression else 2,
            HV: 2,
            TYPES: architecture.n_nuclei,
        }
        if architecture.shared:
            self.decoder = _SharedDecoder(architecture)
            for name, n_out in outputs.items():
                self.add_module(name, nn.Conv2d(widths.full, n_out, 1))
        else:
            for number, skip in enumerate(skip_decoders(width, widths)):
                self.add_module(f"decoder{number}", skip)
            for name, n_out in outputs.items():
                self.add_module(name, Branch(width, widths, n_out))
        if architecture.sam:
            self.classifier_head = nn.Linear(NECK, architecture.n_tissues)

    def forward(self, images: Tensor, *, types: bool = True, tissue: bool = True) -> Logits:
        """Run the network.

        Parameters
        ----------
        images
            Normalised float (b, 3, h, w); sides are multiples of 16.
        types, tissue
            False skips the branch of the types, or the tissue head.
        """
        encoded = self.encoder(images, tissue)
        if encoded.tissue is not None and self.architecture.sam:
            head = self.classifier_head
            encoded = encoded._replace(tissue=head(as_weights(encoded.tissue, head)))
        names = [BINARY, HV, TYPES] if types else [BINARY, HV]
        maps = self._maps(images, encoded.skips, names)
        return Logits(
            binary=maps[BINARY][:, :2],
            hv=maps[HV],
            types=maps.get(TYPES),
            tissue=encoded.tissue,
            regression=maps[BINARY][:, 2:] if self.architecture.regression else None,
            tokens=encoded.skips[-1],
        )

    def heads(self) -> list[nn.Module]:
        """Return the last layers: the 1 x 1 convolution of each map, and the tissue head."""
        branches = [self.get_submodule(name) for name in (BINARY, HV, TYPES)]
        maps = branches if self.architecture.shared else [b.head for b in branches]
        tissue = self.classifier_head if self.architecture.sam else self.encoder.head
        return [*maps, tissue]

    def _maps(self, images: Tensor, encoded: list[Tensor], names: list[str]) -> dict[str, Tensor]:
        """Return the map of each branch; the skips are decoded once for all of them."""
        decoders = self.skip_decoders()
        dtype = next(decoders[0].parameters()).dtype
        image, *depths = (source.to(dtype) for source in [images, *encoded])
        sources = [image, *depths[:3]]
        skips = [decode(source) for decode, source in zip(decoders, sources, strict=True)]
        branches = {name: self.get_submodule(name) for name in names}
        if not self.architecture.shared:
            return {name: branch(skips, depths[-1]) for name, branch in branches.items()}
        features = self.decoder(skips, depths[-1])
        return {name: head(as_weights(features, head)) for name, head in branches.items()}

    def skip_decoders(self) -> list[nn.Module]:
        """Return the decoders of the image and of the first three encoder outputs."""
        pattern = "decoder.decoder{}_skip" if self.architecture.shared else "decoder{}"
        return [self.get_submodule(pattern.format(number)) for number in range(4)]


class _SharedDecoder(Branch):
    """The one decoder of a Shared network, with its skips."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture.embed_dim, architecture.decoder_widths, n_out=None)
        skips = skip_decoders(architecture.embed_dim, architecture.decoder_widths)
        for number, skip in enumerate(skips):
            self.add_module(f"decoder{number}_skip", skip)


def build_network(checkpoint: Checkpoint) -> CellViT:
    """Return the network of a checkpoint with its weights, for inference; InputError if they do not fit it.

    The tensors of the checkpoint are taken over, not copied: those of a memory-mapped file are read when used.
    """
    with torch.device("meta"):
        network = CellViT(checkpoint.architecture)
    check_parameters(checkpoint, network.state_dict())
    network.load_state_dict(checkpoint.state_dict, strict=True, assign=True)
    return network.eval().requires_grad_(requires_grad=False)
