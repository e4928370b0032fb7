"""Our Tangram in torch: the same objective and steps as :mod:`core.mapping.chunks`, on a GPU.

It also runs on the CPU, where it is slower than the compiled engine; a test holds the two equal there. Sums on a GPU
are taken in no fixed order, so the last digits may differ from run to run.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy.sparse as sp

from sthelar_build.core.mapping.descent import Schedule, descend
from sthelar_build.core.mapping.objective import (
    SMALLEST_NORM,
    CellSums,
    Doubles,
    Floats,
    Objective,
    Overlaps,
    Problem,
    Slopes,
    Terms,
    cell_similarity,
)
from sthelar_build.errors import ConfigError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]


def has_gpu(device: Device) -> bool:
    """Return whether to use a GPU; ConfigError if one is asked for and torch sees none."""
    if device == "cpu":
        return False
    import torch

    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise ConfigError(
            "annotate.device: expected a GPU that torch can use for cuda, found none; "
            "set it to auto or cpu, or install a torch built for CUDA"
        )
    return found


def place_labels_with_torch(
    problem: Problem,
    start: Floats,
    schedule: Schedule,
    device: str = "cuda",
    steps: Iterable[int] | None = None,
) -> tuple[Floats, list[Terms]]:
    """Return what :func:`core.mapping.chunks.place_labels` does, up to rounding."""
    placement = TorchPlacement(problem, start, device)
    history = descend(placement, Objective(problem), schedule, steps)
    return placement.shares(), history


class TorchPlacement:
    """Logits, momenta, counts and their transpose on a device."""

    def __init__(self, problem: Problem, start: Floats, device: str) -> None:
        import torch

        self.device, self.weights = device, problem.weights
        self.counts = self._sparse(problem.counts)
        self.counts_by_gene = self._sparse(problem.counts.T.tocsr())
        self.cell_density = self._tensor(problem.cell_density)
        self.label_density = self._tensor(problem.label_density)
        if self.weights.cells:
            self.similarity = self._tensor(cell_similarity(problem.counts, problem.profiles))
            self.profile_gram = self._tensor(problem.profiles @ problem.profiles.T)
        self.logits = torch.tensor(start, dtype=torch.float32, device=device)
        self.adam = torch.optim.Adam([self.logits])
        self._soften()

    def overlaps(self) -> Overlaps:
        """Return the sums that the genes' cosines need."""
        entropy = np.zeros(self.placed.shape[1])
        if self.weights.entropy:
            entropy = -_numpy((self.placed * self.log_placed).sum(0))
        return Overlaps(
            _numpy(self.counts_by_gene @ self.placed),
            _numpy(self.placed.T @ self.placed),
            entropy,
        )

    def cell_sums(self) -> CellSums:
        """Return the sums of the cells' own terms, and keep their derivative."""
        import torch

        predicted = self.placed @ self.label_density
        ratio = self.weights.density * self.cell_density / predicted
        self.slope = -torch.outer(ratio, self.label_density)
        log_density = torch.special.xlogy(self.cell_density.double(), predicted.double()).sum()
        cosines = self._add_cosines() if self.weights.cells else 0.0
        return CellSums(float(log_density), cosines, _numpy((self.placed * self.slope).sum(0)))

    def step(self, slopes: Slopes, number: int, learning_rate: float, epsilon: float) -> None:
        """Take the next step of Adam."""
        gradient = self.slope - self.counts @ self._tensor(slopes.pull)
        gradient += self.placed @ self._tensor(slopes.shrink)
        gradient -= self._tensor(slopes.column_sums)
        if self.weights.entropy:
            gradient -= self.weights.entropy * (self.log_placed + 1)
        self.logits.grad = gradient.mul_(self.placed)
        self.adam.param_groups[0].update(lr=learning_rate, eps=epsilon)
        self.adam.step()
        self._soften()

    def shares(self) -> Floats:
        """Return P."""
        return np.asarray(self.placed.cpu().numpy(), dtype=np.float32)

    def _add_cosines(self) -> float:
        """Return the sum of the cells' cosines, and add their derivative."""
        along = self.placed @ self.profile_gram
        norms = (self.placed * along).sum(1).sqrt().clamp(min=SMALLEST_NORM)
        cosines = (self.placed * self.similarity).sum(1) / norms
        weight = self.weights.cells / len(norms)
        self.slope += (weight * cosines / norms**2)[:, None] * along
        self.slope -= (weight / norms)[:, None] * self.similarity
        return float(cosines.double().sum())

    def _soften(self) -> None:
        import torch

        self.placed = torch.softmax(self.logits, dim=0)
        if self.weights.entropy:
            self.log_placed = torch.log_softmax(self.logits, dim=0)

    def _tensor(self, values: Doubles | Floats) -> torch.Tensor:
        import torch

        return torch.tensor(values, dtype=torch.float32, device=self.device)

    def _sparse(self, matrix: sp.csr_matrix) -> torch.Tensor:
        import torch

        ordered = matrix.sorted_indices()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
            made: torch.Tensor = torch.sparse_csr_tensor(
                torch.from_numpy(ordered.indptr.astype(np.int64)),
                torch.from_numpy(ordered.indices.astype(np.int64)),
                torch.from_numpy(ordered.data.astype(np.float32)),
                size=ordered.shape,
                device=self.device,
                check_invariants=True,
            )
        return made


def _numpy(tensor: torch.Tensor) -> Doubles:
    return np.asarray(tensor.cpu().numpy(), dtype=np.float64)
