"""What a CellViT network is trained to make small: the published losses of its four outputs.

Hörst et al., Med Image Anal 94 (2024), section 3.2: focal Tversky and Dice of the nuclei; squared error of the
distance maps and of their gradients; focal Tversky, Dice and cross-entropy of the types; cross-entropy of the tissue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from sthelar_build.adapters.cellvit.network import Logits

_SMOOTH = 1e-6
_TVERSKY_ALPHA, _TVERSKY_BETA, _TVERSKY_GAMMA = 0.7, 0.3, 4 / 3
_SOBEL_SIDE = 5


class Targets(NamedTuple):
    """What is true of a batch."""

    nucleus: Tensor
    """int64 (b, h, w): 0 background, 1 nucleus."""
    hv: Tensor
    """float32 (b, 2, h, w): distances along x and y, see ``core.hv_targets``."""
    types: Tensor
    """int64 (b, h, w): class index, 0 background."""
    tissue: Tensor
    """int64 (b,)."""

    def to(self, device: str) -> Targets:
        """Return the same on a device."""
        return Targets(*(values.to(device, non_blocking=True) for values in self))


@dataclass(frozen=True)
class LossWeights:
    """Weight of every term; the defaults are the published ones. A term of weight 0 is not computed."""

    nucleus_tversky: float = 1.0
    nucleus_dice: float = 1.0
    hv_mse: float = 2.5
    hv_gradient: float = 8.0
    type_tversky: float = 0.5
    type_dice: float = 0.2
    type_entropy: float = 0.5
    tissue_entropy: float = 0.1


def training_loss(
    outputs: Logits,
    targets: Targets,
    weights: LossWeights,
    class_weights: Tensor | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted sum of all terms, and the terms (not weighted, detached) by name.

    ``class_weights`` (classes,) weigh the terms of the types, relative to each other; None is all alike.
    """
    if outputs.types is None or outputs.tissue is None:
        raise ValueError("expected all outputs of the network, got none of the types or the tissue")
    nucleus, types = outputs.binary.float(), outputs.types.float()
    hv, tissue = outputs.hv.float(), outputs.tissue.float()
    p_nucleus, p_types = nucleus.softmax(1), types.softmax(1)
    is_nucleus, is_type = _one_hot(targets.nucleus, 2), _one_hot(targets.types, types.shape[1])
    terms: dict[str, Callable[[], Tensor]] = {
        "nucleus_tversky": lambda: focal_tversky_loss(p_nucleus, is_nucleus),
        "nucleus_dice": lambda: dice_loss(p_nucleus, is_nucleus),
        "hv_mse": lambda: F.mse_loss(hv, targets.hv),
        "hv_gradient": lambda: hv_gradient_loss(hv, targets.hv, targets.nucleus),
        "type_tversky": lambda: focal_tversky_loss(p_types, is_type, class_weights),
        "type_dice": lambda: dice_loss(p_types, is_type, class_weights),
        "type_entropy": lambda: F.cross_entropy(types, targets.types, class_weights),
        "tissue_entropy": lambda: F.cross_entropy(tissue, targets.tissue),
    }
    found = {name: term() for name, term in terms.items() if getattr(weights, name)}
    total = sum((getattr(weights, name) * value for name, value in found.items()), hv.new_zeros(()))
    return total, {name: value.detach() for name, value in found.items()}


def dice_loss(probability: Tensor, truth: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Return 1 - (2 sum(p t) + e) / (sum(p) + sum(t) + e), summed over the classes.

    Milletari et al., 3DV 2016, with the sums of HoVer-Net: over all pixels of the batch, each class by itself.
    ``probability`` and ``truth`` are (b, classes, h, w).
    """
    shared = (probability * truth).sum((0, 2, 3))
    both = probability.sum((0, 2, 3)) + truth.sum((0, 2, 3))
    return _sum(1 - (2 * shared + _SMOOTH) / (both + _SMOOTH), class_weights)


def focal_tversky_loss(
    probability: Tensor, truth: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Return (1 - T)^(1 / gamma), T = (tp + e) / (tp + alpha fn + beta fp + e), summed over the classes.

    Abraham and Khan, ISBI 2019; alpha 0.7, beta 0.3, gamma 4/3: what is missed costs more than what is invented.
    """
    tp = (probability * truth).sum((0, 2, 3))
    fn = truth.sum((0, 2, 3)) - tp
    fp = probability.sum((0, 2, 3)) - tp
    tversky = (tp + _SMOOTH) / (tp + _TVERSKY_ALPHA * fn + _TVERSKY_BETA * fp + _SMOOTH)
    # The slope of the root is infinite at 0, where a perfect class arrives.
    missing = (1 - tversky).clamp(min=_SMOOTH)
    return _sum(missing ** (1 / _TVERSKY_GAMMA), class_weights)


def hv_gradient_loss(predicted: Tensor, truth: Tensor, nucleus: Tensor) -> Tensor:
    """Return the mean squared error of the gradients, of x along x and of y along y, over the pixels of nuclei.

    Graham et al. 2019, equation 4; the gradients are those of a Sobel filter of 5 x 5. 0 where there is no nucleus.
    """
    error = (_gradients(predicted) - _gradients(truth)).square()
    inside = nucleus.unsqueeze(1).to(error.dtype)
    return (error * inside).sum() / (2 * inside.sum() + _SMOOTH)


def _gradients(hv: Tensor) -> Tensor:
    """Return the derivative of channel 0 along x and of channel 1 along y, the image continued by zeros."""
    kernels = _sobel(_SOBEL_SIDE).to(hv)
    return F.conv2d(hv, kernels, padding=_SOBEL_SIDE // 2, groups=2)


def _sobel(side: int) -> Tensor:
    """Return (2, 1, side, side): x / (x^2 + y^2) and its transpose, the Sobel filter of any size of HoVer-Net."""
    at = torch.arange(side, dtype=torch.float32) - side // 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    along_x = x / (x**2 + y**2).clamp(min=1)
    return torch.stack([along_x, along_x.T])[:, None]


def _one_hot(classes: Tensor, n: int) -> Tensor:
    batch, height, width = classes.shape
    empty = torch.zeros((batch, n, height, width), device=classes.device)
    return empty.scatter_(1, classes[:, None], 1.0)


def _sum(of_class: Tensor, class_weights: Tensor | None) -> Tensor:
    """Return the sum over classes; their weights count relative to the mean weight."""
    return (of_class if class_weights is None else of_class * _relative(class_weights)).sum()


def _relative(class_weights: Tensor) -> Tensor:
    return class_weights / class_weights.mean()
