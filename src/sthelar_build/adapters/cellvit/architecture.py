"""What a checkpoint's ``arch`` and ``config`` say about the shape of its network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sthelar_build.errors import InputError

PATCH_PX = 16
"""Side of the square that becomes one token."""
SHARED = "Shared"
"""Suffix of the architectures whose three branches are one decoder with three heads."""
ARCHITECTURES = tuple(
    f"{name}{suffix}" for suffix in ("", SHARED) for name in ("CellViT", "CellViT256", "CellViTSAM")
)

Shapes = Mapping[str, tuple[int, ...]]


class Widths(NamedTuple):
    """Channels of the decoders, named by the part of the full resolution at which they work."""

    stem: int
    """First block on the image."""
    full: int
    half: int
    quarter: int
    eighth: int
    skip_eighth: int
    """The skips of the first two encoder outputs, on their way up."""
    skip_quarter: int
    """The skip of the first encoder output, one step further."""

    def divided(self, by: int) -> Widths:
        """Return the same decoders, ``by`` times as narrow: for a small network of the family."""
        return Widths(*(max(1, width // by) for width in self))


@dataclass(frozen=True)
class Architecture:
    """Everything that fixes the names and shapes of the parameters, and the number of attention heads."""

    arch: str
    embed_dim: int
    depth: int
    heads: int
    skip_blocks: tuple[int, int, int, int]
    """1-based: the blocks whose output goes to the decoders."""
    n_nuclei: int = 6
    n_tissues: int = 19
    regression: bool = False
    """Whether the binary head has two more channels, a regression map."""
    global_blocks: tuple[int, ...] = ()
    """0-based: the SAM blocks that attend to the whole image; the others attend in windows."""
    widths: Widths | None = None
    """None for the published widths."""

    @property
    def sam(self) -> bool:
        """Whether the encoder is SAM's rather than a plain vision transformer."""
        return "SAM" in self.arch

    @property
    def shared(self) -> bool:
        """Whether the branches share one decoder."""
        return self.arch.endswith(SHARED)

    @property
    def decoder_widths(self) -> Widths:
        """The widths of the decoders: those given, or the published ones for this embedding."""
        return self.widths or published_widths(self.embed_dim)


class _Encoder(NamedTuple):
    embed_dim: int
    depth: int
    heads: int
    skip_blocks: tuple[int, int, int, int]
    global_blocks: tuple[int, ...] = ()


VIT_256 = _Encoder(384, 12, 6, (3, 6, 9, 12))
SAM_ENCODERS = {
    "SAM-B": _Encoder(768, 12, 12, (3, 6, 9, 12), (2, 5, 8, 11)),
    "SAM-L": _Encoder(1024, 24, 16, (6, 12, 18, 24), (5, 11, 17, 23)),
    "SAM-H": _Encoder(1280, 32, 16, (8, 16, 24, 32), (7, 15, 23, 31)),
}


def published_widths(embed_dim: int) -> Widths:
    """Return the decoder widths of the published networks."""
    eighth, *skips = (312, 256, 128) if embed_dim < 512 else (512, 512, 256)
    return Widths(32, 64, 128, 256, eighth, *skips)


def architecture_of(
    arch: str, config: Mapping[str, Any], shapes: Shapes, source: str
) -> Architecture:
    """Return the architecture that a checkpoint describes.

    Parameters
    ----------
    arch
        Its ``arch``, the name of a class.
    config
        Its ``config``, nested. What it does not say is read from the shapes where they tell it.
    shapes
        Parameter name -> shape.
    source
        The file, for messages.
    """
    if arch not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InputError(f"{source}: expected an arch out of {known}, found {arch!r}")
    data, model = _section(config, "data"), _section(config, "model")
    encoder = _encoder(arch, model, shapes, source)
    n_binary = _rows(shapes, _head("nuclei_binary_map_decoder", arch), 2)
    try:
        return Architecture(
            arch,
            *encoder[:4],
            n_nuclei=int(
                data.get("num_nuclei_classes")
                or _rows(shapes, _head("nuclei_type_maps_decoder", arch), 6)
            ),
            n_tissues=int(data.get("num_tissue_classes") or _rows(shapes, _tissue_head(arch), 19)),
            regression=bool(model.get("regression_loss", n_binary == 4)),
            global_blocks=encoder.global_blocks,
            widths=_widths(model.get("decoder_widths")),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{source}: its config cannot be used: {error}") from error


def _encoder(arch: str, model: Mapping[str, Any], shapes: Shapes, source: str) -> _Encoder:
    base = arch.removesuffix(SHARED)
    if base == "CellViT256":
        return VIT_256
    width = shapes.get("encoder.pos_embed", (0,))[-1]
    if base == "CellViTSAM" and "embed_dim" not in model:
        by_width = {one.embed_dim: name for name, one in SAM_ENCODERS.items()}
        name = model.get("backbone", by_width.get(width))
        if name in SAM_ENCODERS:
            return SAM_ENCODERS[name]
        known = ", ".join(SAM_ENCODERS)
        raise InputError(f"{source}: expected a model.backbone out of {known}, found {name!r}")
    missing = [key for key in ("num_heads", "extract_layers") if key not in model]
    if missing:
        raise InputError(
            f"{source}: expected model.{missing[0]} in its config: the shapes do not tell it"
        )
    try:
        return _Encoder(
            int(model.get("embed_dim", width)),
            int(model.get("depth", _depth(shapes))),
            int(model["num_heads"]),
            _four(model["extract_layers"]),
            tuple(int(block) for block in model.get("global_blocks", ())),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{source}: its config.model cannot be used: {error}") from error


def _four(blocks: Any) -> tuple[int, int, int, int]:
    first, second, third, last = (int(block) for block in blocks)
    return first, second, third, last


def _widths(given: Any) -> Widths | None:
    return None if given is None else Widths(*(int(width) for width in given))


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = config.get(name)
    return section if isinstance(section, Mapping) else {}


def _depth(shapes: Shapes) -> int:
    return len({name.split(".")[2] for name in shapes if name.startswith("encoder.blocks.")})


def _head(branch: str, arch: str) -> str:
    return f"{branch}.weight" if arch.endswith(SHARED) else f"{branch}.decoder0_header.2.weight"


def _tissue_head(arch: str) -> str:
    return "classifier_head.weight" if "SAM" in arch else "encoder.head.weight"


def _rows(shapes: Shapes, name: str, default: int) -> int:
    return shapes[name][0] if shapes.get(name) else default
